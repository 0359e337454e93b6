#include "libtorch/match_optimizer.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "libtorch/error.h"
#include "libtorch/layout.h"
#include "libtorch/match_tensors.h"

namespace ingot::libtorch {

using torch::Tensor;

namespace {

std::string entry_text(const std::string& member, const std::string& entry) {
  return member + ": " + entry;
}

class OptimizerMatcher {
 public:
  OptimizerMatcher(const Checkpoint& checkpoint, const OptimizerInfo& stored,
                   const Parts::Optimizer& part, const Names& names,
                   const StoredNames& stored_names, const LoadOptions& options)
      : checkpoint_(checkpoint),
        stored_(stored),
        part_(part),
        names_(names),
        options_(options),
        groups_(part.optimizer->param_groups()) {
    match_.part = &part;
    match_.kind = &kind_of(*part.optimizer);
    report_.name = part.name;
    report_.class_name = match_.kind->class_name();
    read_groups();
    read_members(stored_names);
  }

  OptimizerMatch run(OptimizerReport* report) {
    if (stored_.class_name != match_.kind->class_name()) {
      raise(Code::kInvalidArgument, "optimizer " + part_.name + " is of class " +
                                        std::string(match_.kind->class_name()) +
                                        ", the file's of class " + std::string(stored_.class_name) +
                                        ": state of one means nothing to the other");
    }
    for (std::size_t g = 0; g < groups_.size(); ++g) match_group(g);
    note_unexpected();
    compare_groups();
    if (match_.kind->is_joint()) check_joint();
    for (std::size_t g = 0; g < groups_.size(); ++g) choose_options(g);
    *report = std::move(report_);
    return std::move(match_);
  }

 private:
  struct Stored {
    const OptimizerMember* member;
    std::size_t group;
    std::string name;
    bool taken = false;
  };
  static constexpr std::size_t kNoGroup = ~std::size_t{0};

  void read_groups() {
    const auto groups = find_part(checkpoint_, "optimizers", part_.name)->find("param_groups");
    for (auto group = groups->first_child(); group; group = group->next_sibling()) {
      stored_groups_.push_back(*group);
    }
  }

  void read_members(const StoredNames& stored_names) {
    for (std::size_t g = 0; g < stored_.groups.size(); ++g) {
      for (const OptimizerMember& member : stored_.groups[g].members) {
        // It may be a module's tensor or one of the state's own.
        const std::string name = stored_names.translate(member.name, true);
        members_.push_back({&member, g, name});
        by_name_.emplace(name, members_.size() - 1);
        by_name_.emplace(stored_names.translate(member.name, false), members_.size() - 1);
      }
    }
  }

  // The stored member of a parameter, which may have several names. One that the optimizer has
  // twice (module.parameters() gives a tied parameter so) is stored under two.
  Stored* take(const std::vector<std::string>& names, std::size_t occurrence) {
    std::vector<Stored*> known;
    for (const std::string& name : names) {
      const auto found = by_name_.find(name);
      if (found == by_name_.end()) continue;
      known.push_back(&members_[found->second]);
      known.back()->taken = true;
    }
    if (known.empty()) return nullptr;
    return known[std::min(occurrence, known.size() - 1)];
  }

  // A parameter's name for reports: one that the file knows, else its first.
  std::vector<std::string> names_of(const Tensor& param, std::size_t group) const {
    std::vector<std::string> names = names_.of(param, part_.of);
    if (names.empty()) {
      raise(Code::kInvalidArgument, "optimizer " + part_.name + ": a parameter of group " +
                                        std::to_string(group) +
                                        " is in no module or tensor of the state; name its module "
                                        "with module() or naming()");
    }
    return names;
  }

  void match_group(std::size_t g) {
    std::vector<std::size_t> sources;
    for (const Tensor& param : groups_[g].params()) {
      const std::vector<std::string> names = names_of(param, g);
      Stored* stored = take(names, occurrences_[param.unsafeGetTensorImpl()]++);
      const std::string& name = stored != nullptr ? stored->name : names.front();
      live_order_.push_back(name);
      if (options_.filter && !options_.filter(name)) {
        report_.filtered.push_back(name);
        continue;
      }
      if (stored == nullptr) {
        report_.fresh.push_back(name);
        continue;
      }
      sources.push_back(stored->group);
      if (agrees(name, param, *stored->member)) take_member(name, g, param, *stored->member);
    }
    sources_.push_back(std::move(sources));
  }

  void take_member(const std::string& name, std::size_t group, const Tensor& param,
                   const OptimizerMember& member) {
    const bool has_state = member.state && !holds_nothing(*member.state);
    (has_state ? report_.restored : report_.stateless).push_back(name);
    match_.members.push_back({name, group, param, has_state ? member.state : std::nullopt});
  }

  // As Python's SGD without momentum leaves it: {"momentum_buffer": None}.
  static bool holds_nothing(const StateView& state) {
    for (auto entry = state.first_child(); entry; entry = entry->next_sibling()) {
      if (entry->kind() != StateKind::kNull) return false;
    }
    return true;
  }

  bool agrees(const std::string& name, const Tensor& param, const OptimizerMember& member) {
    const std::vector<std::int64_t> shape = param.sizes().vec();
    if (member.shape && *member.shape != shape) {
      report_.mismatches.push_back({name, shape_text(shape), shape_text(*member.shape)});
      return false;
    }
    return !member.state || match_.kind->is_joint() || entries_agree(name, param, *member.state);
  }

  // State has the shape and the type of its parameter. Python keeps the counter as a tensor, too.
  bool entries_agree(const std::string& name, const Tensor& param, const StateView& state) {
    const std::vector<std::int64_t> shape = param.sizes().vec();
    bool agree = true;
    for (auto entry = state.first_child(); entry; entry = entry->next_sibling()) {
      if (entry->kind() != StateKind::kTensor) continue;
      const TensorInfo info = checkpoint_.info(entry->as_tensor());
      const std::string key = entry->has_string_key() ? std::string(entry->string_key()) : "?";
      if (key == "step") continue;
      if (!std::equal(shape.begin(), shape.end(), info.shape.begin(), info.shape.end())) {
        report_.mismatches.push_back(
            {entry_text(name, key), shape_text(shape), shape_text(info.shape)});
        agree = false;
      } else if (to_scalar_type(info.dtype) != param.scalar_type()) {
        report_.mismatches.push_back({entry_text(name, key), dtype_text(param.scalar_type()),
                                      std::string(dtype_name(info.dtype))});
        agree = false;
      }
    }
    return agree;
  }

  void note_unexpected() {
    for (const Stored& stored : members_) {
      if (stored.taken) continue;
      const bool filtered = options_.filter && !options_.filter(stored.name);
      (filtered ? report_.filtered : report_.unexpected).push_back(stored.name);
    }
  }

  // Order within a group means nothing: everything goes by name.
  void compare_groups() {
    if (groups_.size() != stored_.groups.size()) {
      report_.groups.push_back(std::to_string(groups_.size()) + " groups, the file has " +
                               std::to_string(stored_.groups.size()));
    }
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      const std::set<std::size_t> from(sources_[g].begin(), sources_[g].end());
      if (from.empty() || from == std::set<std::size_t>{g}) continue;
      std::string list;
      for (const std::size_t source : from) {
        list += (list.empty() ? "" : ", ") + std::to_string(source);
      }
      report_.groups.push_back("group " + std::to_string(g) + " has members of the file's group " +
                               list);
    }
  }

  // LBFGS keeps one state for all parameters laid end to end: any other list, and it is void.
  void check_joint() {
    std::vector<std::string> stored_order;
    for (const Stored& stored : members_) stored_order.push_back(stored.name);
    if (stored_order == live_order_ && report_.mismatches.empty() && report_.filtered.empty()) {
      return;
    }
    report_.groups.push_back("the state is about all parameters in their order, which differs");
    report_.fresh.insert(report_.fresh.end(), report_.restored.begin(), report_.restored.end());
    report_.restored.clear();
    match_.members.clear();
  }

  // The stored group that all matched members of a live group come from.
  std::size_t source_of(std::size_t g) const {
    const std::vector<std::size_t>& from = sources_[g];
    const bool both_empty = g < stored_.groups.size() && stored_.groups[g].members.empty() &&
                            groups_[g].params().empty();
    if (from.empty()) return both_empty ? g : kNoGroup;
    const bool one = std::all_of(from.begin(), from.end(), [&](auto s) { return s == from[0]; });
    return one ? from[0] : kNoGroup;
  }

  void choose_options(std::size_t g) {
    if (options_.options_from && options_.options_from(part_.name, g) == OptionsFrom::kOptimizer) {
      return;
    }
    const std::size_t source = source_of(g);
    if (source == kNoGroup) {
      // A group of new or filtered members only is told by them.
      if (sources_[g].empty()) return;
      report_.groups.push_back("group " + std::to_string(g) +
                               " keeps its own options: the file has no group that is it");
      return;
    }
    match_.groups.push_back({g, stored_groups_[source]});
  }

  const Checkpoint& checkpoint_;
  const OptimizerInfo& stored_;
  const Parts::Optimizer& part_;
  const Names& names_;
  const LoadOptions& options_;
  const std::vector<torch::optim::OptimizerParamGroup>& groups_;
  std::vector<StateView> stored_groups_;
  std::vector<Stored> members_;
  std::unordered_map<std::string, std::size_t> by_name_;
  std::unordered_map<const void*, std::size_t> occurrences_;
  std::vector<std::string> live_order_;
  std::vector<std::vector<std::size_t>> sources_;  // stored groups of a live group's members
  OptimizerMatch match_;
  OptimizerReport report_;
};

}  // namespace

std::vector<OptimizerMatch> match_optimizers(const Checkpoint& checkpoint, const Parts& parts,
                                             const Names& names, const StoredNames& stored_names,
                                             const LoadOptions& options, LoadReport* report) {
  std::vector<OptimizerMatch> matches;
  if (parts.optimizers.empty()) return matches;
  const std::vector<OptimizerInfo> stored = take(optimizers(checkpoint));
  for (const Parts::Optimizer& part : parts.optimizers) {
    const auto found = std::find_if(stored.begin(), stored.end(), [&](const OptimizerInfo& info) {
      return info.name == part.name;
    });
    if (found == stored.end()) {
      report->absent.push_back("optimizer " + part.name);
      continue;
    }
    OptimizerReport part_report;
    matches.push_back(
        OptimizerMatcher(checkpoint, *found, part, names, stored_names, options).run(&part_report));
    report->optimizers.push_back(std::move(part_report));
  }
  return matches;
}

}  // namespace ingot::libtorch
