// ingot::optimizers: the state tree's key `optimizers`, checked against its convention. The tree is
// valid as a tree; what it says is not trusted. No step may cost more than linear time: dicts are
// walked once, and members found by number through a table.
#include <algorithm>
#include <string>

#include "ingot/optimizer.h"

#include "base/bytes.h"
#include "base/error.h"
#include "format/constants.h"
#include "loader/quoted.h"

namespace ingot {
namespace {

using loader::quoted;

// The lists that a group has for its members; all else in it are options.
constexpr std::string_view kParams = "params";
constexpr std::string_view kNames = "param_names";
constexpr std::string_view kShapes = "param_shapes";
constexpr std::string_view kRequiresGrad = "param_requires_grad";

// Where in the tree an error is: `optimizer "adamw", group 1, "param_names", item 17`.
class Place {
 public:
  Place(const Checkpoint& checkpoint, std::string text)
      : checkpoint_(checkpoint), text_(std::move(text)) {}

  Place group(std::size_t number) const { return sub("group " + std::to_string(number)); }
  Place key(std::string_view key) const { return sub(quoted(key)); }
  Place item(std::size_t number) const { return sub("item " + std::to_string(number)); }
  Place member(std::int64_t number) const { return sub("member " + std::to_string(number)); }

  ErrorBuilder rejected(std::string_view what) const {
    ErrorBuilder error(Code::kRejected, text_ + ": " + std::string(what));
    error.file(checkpoint_.file().path);
    return error;
  }
  Status check(const StateView& value, StateKind kind) const {
    if (value.kind() == kind) return {};
    return rejected("of the wrong kind")
        .expected(state_kind_name(kind))
        .found(state_kind_name(value.kind()));
  }

 private:
  Place sub(const std::string& part) const { return {checkpoint_, text_ + ", " + part}; }

  const Checkpoint& checkpoint_;
  std::string text_;
};

std::string key_text(const StateView& value) {
  const StateKey key = *value.key();
  return key.is_string() ? quoted(key.text()) : std::to_string(key.number());
}

// The value under a string key, of the kind that the convention asks for.
Result<StateView> required(const Place& place, const StateView& dict, std::string_view key,
                           StateKind kind) {
  const std::optional<StateView> value = dict.find(key);
  if (!value) return place.key(key).rejected("missing");
  INGOT_RETURN_IF_ERROR(place.key(key).check(*value, kind));
  return *value;
}

// The lists of one group, before their items are looked at.
struct MemberLists {
  std::optional<StateView> params;
  std::optional<StateView> names;
  std::optional<StateView> shapes;
  std::optional<StateView> requires_grad;

  std::optional<StateView>* under(std::string_view key) {
    if (key == kParams) return &params;
    if (key == kNames) return &names;
    if (key == kShapes) return &shapes;
    if (key == kRequiresGrad) return &requires_grad;
    return nullptr;
  }
};

// Walks a list that may be absent. After the last item there is none.
class Items {
 public:
  explicit Items(const std::optional<StateView>& list) {
    if (list) next_ = list->first_child();
  }
  std::optional<StateView> take() {
    std::optional<StateView> item = next_;
    if (next_) next_ = next_->next_sibling();
    return item;
  }

 private:
  std::optional<StateView> next_;
};

class OptimizerReader {
 public:
  OptimizerReader(const Checkpoint& checkpoint, const StateView& optimizer)
      : checkpoint_(checkpoint),
        optimizer_(optimizer),
        place_(checkpoint, "optimizer " + key_text(optimizer)) {}

  Result<OptimizerInfo> read() {
    if (!optimizer_.has_string_key()) return place_.rejected("its name is not a string");
    INGOT_RETURN_IF_ERROR(place_.check(optimizer_, StateKind::kDict));
    INGOT_ASSIGN_OR_RETURN(const StateView name,
                           required(place_, optimizer_, "class", StateKind::kString));
    INGOT_ASSIGN_OR_RETURN(const StateView state,
                           required(place_, optimizer_, "state", StateKind::kDict));
    INGOT_ASSIGN_OR_RETURN(const StateView groups,
                           required(place_, optimizer_, "param_groups", StateKind::kList));
    info_.name = optimizer_.string_key();
    info_.class_name = name.as_string();
    INGOT_RETURN_IF_ERROR(read_groups(groups));
    INGOT_RETURN_IF_ERROR(number_members());
    INGOT_RETURN_IF_ERROR(check_names_differ());
    INGOT_RETURN_IF_ERROR(read_state(state));
    return std::move(info_);
  }

 private:
  Status read_groups(const StateView& groups) {
    info_.groups.reserve(groups.size());
    for (auto group = groups.first_child(); group; group = group->next_sibling()) {
      const Place place = place_.group(info_.groups.size());
      INGOT_RETURN_IF_ERROR(place.check(*group, StateKind::kDict));
      INGOT_RETURN_IF_ERROR(read_group(place, *group));
    }
    return {};
  }

  Status read_group(const Place& place, const StateView& group) {
    OptimizerGroup& result = info_.groups.emplace_back();
    MemberLists lists;
    for (auto entry = group.first_child(); entry; entry = entry->next_sibling()) {
      if (!entry->has_string_key()) {
        return place.rejected("a key that is not a string").found(key_text(*entry));
      }
      const std::string_view key = entry->string_key();
      if (std::optional<StateView>* list = lists.under(key)) {
        *list = *entry;
      } else {
        result.options.emplace_back(key, *entry);
      }
    }
    INGOT_RETURN_IF_ERROR(check_lists(place, lists));
    return read_members(place, lists, result.members);
  }

  static Status check_lists(const Place& place, const MemberLists& lists) {
    if (!lists.params) return place.key(kParams).rejected("missing");
    if (!lists.names) return place.key(kNames).rejected("missing");
    INGOT_RETURN_IF_ERROR(place.key(kParams).check(*lists.params, StateKind::kList));
    for (const auto& [key, list] :
         {std::pair(kNames, lists.names), std::pair(kShapes, lists.shapes),
          std::pair(kRequiresGrad, lists.requires_grad)}) {
      if (!list) continue;
      INGOT_RETURN_IF_ERROR(place.key(key).check(*list, StateKind::kList));
      if (list->size() == lists.params->size()) continue;
      return place.key(key)
          .rejected("not as long as \"params\"")
          .expected(lists.params->size())
          .found(list->size());
    }
    return {};
  }

  Status read_members(const Place& place, const MemberLists& lists,
                      std::vector<OptimizerMember>& members) const {
    members.reserve(lists.params->size());
    Items numbers(lists.params);
    Items names(lists.names);
    Items shapes(lists.shapes);
    Items requires_grad(lists.requires_grad);
    while (const std::optional<StateView> number = numbers.take()) {
      const std::size_t i = members.size();
      OptimizerMember& member = members.emplace_back();
      INGOT_RETURN_IF_ERROR(read_index(place, i, *number, member));
      INGOT_RETURN_IF_ERROR(read_name(place, i, *names.take(), member));
      INGOT_RETURN_IF_ERROR(read_shape(place, i, shapes.take(), member));
      INGOT_RETURN_IF_ERROR(read_requires_grad(place, i, requires_grad.take(), member));
      take_from_tensor(member);
    }
    return {};
  }

  // The place of an item is made only when there is an error: there may be a million items.
  static Status check_item(const Place& place, std::string_view key, std::size_t i,
                           const StateView& item, StateKind kind) {
    if (item.kind() == kind) return {};
    return place.key(key).item(i).check(item, kind);
  }

  static Status read_index(const Place& place, std::size_t i, const StateView& item,
                           OptimizerMember& member) {
    INGOT_RETURN_IF_ERROR(check_item(place, kParams, i, item, StateKind::kInt64));
    member.index = item.as_int64();
    return {};
  }

  static Status read_name(const Place& place, std::size_t i, const StateView& item,
                          OptimizerMember& member) {
    INGOT_RETURN_IF_ERROR(check_item(place, kNames, i, item, StateKind::kString));
    member.name = item.as_string();
    if (!member.name.empty() && member.name.size() <= format::kMaxNameBytes &&
        is_printable_utf8(member.name)) {
      return {};
    }
    return place.key(kNames)
        .item(i)
        .rejected("no tensor can be called so")
        .found(quoted(member.name));
  }

  static Status read_shape(const Place& place, std::size_t i, const std::optional<StateView>& item,
                           OptimizerMember& member) {
    if (!item) return {};
    INGOT_RETURN_IF_ERROR(check_item(place, kShapes, i, *item, StateKind::kList));
    if (item->size() > format::kMaxRank) {
      return place.key(kShapes)
          .item(i)
          .rejected("too many dimensions")
          .expected("at most " + std::to_string(format::kMaxRank))
          .found(item->size());
    }
    std::vector<std::int64_t>& shape = member.shape.emplace();
    shape.reserve(item->size());
    for (auto extent = item->first_child(); extent; extent = extent->next_sibling()) {
      INGOT_RETURN_IF_ERROR(check_item(place, kShapes, i, *extent, StateKind::kInt64));
      shape.push_back(extent->as_int64());
      if (shape.back() >= 0) continue;
      return place.key(kShapes)
          .item(i)
          .rejected("a negative extent")
          .found(std::to_string(shape.back()));
    }
    return {};
  }

  static Status read_requires_grad(const Place& place, std::size_t i,
                                   const std::optional<StateView>& item, OptimizerMember& member) {
    if (!item) return {};
    INGOT_RETURN_IF_ERROR(check_item(place, kRequiresGrad, i, *item, StateKind::kBool));
    member.requires_grad = item->as_bool();
    return {};
  }

  // What a file of others does not say of a member, the tensor of that name does.
  void take_from_tensor(OptimizerMember& member) const {
    if (member.shape && member.requires_grad) return;
    const std::optional<TensorInfo> tensor = checkpoint_.find(member.name);
    if (!tensor) return;
    if (!member.shape) member.shape.emplace(tensor->shape.begin(), tensor->shape.end());
    if (!member.requires_grad) member.requires_grad = tensor->requires_grad;
  }

  OptimizerMember* member_at(std::int64_t number) const {
    const bool in_range = number >= 0 && static_cast<std::uint64_t>(number) < by_number_.size();
    return in_range ? by_number_[static_cast<std::size_t>(number)] : nullptr;
  }

  // The groups are complete, so that pointers to members stay.
  Status number_members() {
    by_number_.assign(static_cast<std::size_t>(info_.member_count()), nullptr);
    for (std::size_t g = 0; g < info_.groups.size(); ++g) {
      std::vector<OptimizerMember>& members = info_.groups[g].members;
      for (std::size_t i = 0; i < members.size(); ++i) {
        INGOT_RETURN_IF_ERROR(number_member(g, i, members[i]));
      }
    }
    return {};
  }

  Status number_member(std::size_t group, std::size_t i, OptimizerMember& member) {
    const auto place = [&] { return place_.group(group).key(kParams).item(i); };
    if (member.index < 0 || static_cast<std::uint64_t>(member.index) >= by_number_.size()) {
      return place()
          .rejected("a number out of range")
          .expected("0 to " + std::to_string(by_number_.size() - 1))
          .found(std::to_string(member.index));
    }
    OptimizerMember*& slot = by_number_[static_cast<std::size_t>(member.index)];
    if (slot != nullptr) {
      return place().rejected("a number twice").found(std::to_string(member.index));
    }
    slot = &member;
    return {};
  }

  // Members are found by name when an optimizer is loaded.
  Status check_names_differ() const {
    std::vector<std::pair<std::string_view, std::size_t>> names;  // and their groups
    names.reserve(by_number_.size());
    for (std::size_t g = 0; g < info_.groups.size(); ++g) {
      for (const OptimizerMember& member : info_.groups[g].members) {
        names.emplace_back(member.name, g);
      }
    }
    std::sort(names.begin(), names.end());
    const auto twice =
        std::adjacent_find(names.begin(), names.end(),
                           [](const auto& a, const auto& b) { return a.first == b.first; });
    if (twice == names.end()) return {};
    return place_.group((twice + 1)->second)
        .key(kNames)
        .rejected("a name twice")
        .found(quoted(twice->first));
  }

  Status read_state(const StateView& state) {
    for (auto entry = state.first_child(); entry; entry = entry->next_sibling()) {
      const StateKey key = *entry->key();
      OptimizerMember* member = key.is_string() ? nullptr : member_at(key.number());
      if (member == nullptr) {
        return place_.key("state")
            .rejected("a key that is no member's number")
            .found(key_text(*entry));
      }
      INGOT_RETURN_IF_ERROR(read_member_state(*entry, *member));
    }
    return {};
  }

  Status read_member_state(const StateView& state, OptimizerMember& member) const {
    const auto place = [&] { return place_.key("state").member(member.index); };
    if (state.kind() != StateKind::kDict) return place().check(state, StateKind::kDict);
    member.state = state;
    for (auto entry = state.first_child(); entry; entry = entry->next_sibling()) {
      if (!entry->has_string_key()) {
        return place().rejected("a key that is not a string").found(key_text(*entry));
      }
      if (entry->kind() != StateKind::kNull) member.entries.push_back(entry->string_key());
    }
    return {};
  }

  const Checkpoint& checkpoint_;
  StateView optimizer_;
  Place place_;
  OptimizerInfo info_;
  std::vector<OptimizerMember*> by_number_;  // of every number that is taken, into info_
};

}  // namespace

Result<std::vector<OptimizerInfo>> optimizers(const Checkpoint& checkpoint) {
  std::vector<OptimizerInfo> result;
  const std::optional<StateView> root = checkpoint.state();
  if (!root) return result;
  const std::optional<StateView> all = root->find("optimizers");
  if (!all) return result;
  INGOT_RETURN_IF_ERROR(Place(checkpoint, "state, \"optimizers\"").check(*all, StateKind::kDict));
  result.reserve(all->size());
  for (auto optimizer = all->first_child(); optimizer; optimizer = optimizer->next_sibling()) {
    INGOT_ASSIGN_OR_RETURN(OptimizerInfo info, OptimizerReader(checkpoint, *optimizer).read());
    result.push_back(std::move(info));
  }
  return result;
}

}  // namespace ingot
