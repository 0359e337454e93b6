#include "libtorch/optimizer_kind.h"

#include <algorithm>
#include <array>
#include <deque>
#include <typeinfo>

#include "libtorch/error.h"
#include "libtorch/optimizer_fields.h"

namespace ingot::libtorch {

using torch::Tensor;

namespace {

// Keys of a group that are not options.
constexpr std::array<std::string_view, 4> kMemberKeys = {"params", "param_names", "param_shapes",
                                                         "param_requires_grad"};

StateValue save_field(double value) { return to_state(value); }
StateValue save_field(std::int64_t value) { return to_state(value); }
StateValue save_field(bool value) { return to_state(value); }
StateValue save_field(const std::tuple<double, double>& value) {
  return StateValue::tuple({to_state(std::get<0>(value)), to_state(std::get<1>(value))});
}
template <typename T>
StateValue save_field(const std::optional<T>& value) {
  return to_state(value);
}

bool load_field(const StateView& view, std::tuple<double, double>& value) {
  std::vector<double> pair;
  if (!from_state(view, pair) || pair.size() != 2) return false;
  value = {pair[0], pair[1]};
  return true;
}
template <typename T>
bool load_field(const StateView& view, T& value) {
  return from_state(view, value);
}

struct OptionsWriter {
  StateValue& dict;
  template <typename T>
  void operator()(const char* name, const T& value) const {
    dict.set(name, save_field(value));
  }
};

[[noreturn]] void wrong_type(std::string_view what, const char* name, const StateView& view) {
  raise(Code::kRejected, std::string(what) + " \"" + name + "\" of an optimizer is of type " +
                             std::string(state_kind_name(view.kind())));
}

// Names that were visited, to tell what the file has beyond them.
template <typename Known>
void note_others(const StateView& dict, const std::vector<std::string_view>& known,
                 const Known& also_known, std::vector<std::string>* ignored) {
  for (auto child = dict.first_child(); child; child = child->next_sibling()) {
    const std::string key = child->has_string_key() ? std::string(child->string_key()) : "?";
    const bool is_known = std::find(known.begin(), known.end(), key) != known.end() ||
                          std::find(also_known.begin(), also_known.end(), key) != also_known.end();
    if (!is_known && std::find(ignored->begin(), ignored->end(), key) == ignored->end()) {
      ignored->push_back(key);
    }
  }
}

struct OptionsReader {
  const StateView& group;
  std::vector<std::string_view>& known;
  template <typename T>
  void operator()(const char* name, T& value) const {
    known.push_back(name);
    const std::optional<StateView> view = group.find(name);
    if (view && !load_field(*view, value)) wrong_type("option", name, *view);
  }
};

// Absent tensors are left out, as in Python; scalars never.
struct StateWriter {
  StateValue& dict;
  const StoreTensor& store;

  void operator()(const char* name, const Tensor& tensor) const {
    if (tensor.defined()) dict.set(name, store(name, tensor));
  }
  void operator()(const char* name, const std::deque<Tensor>& tensors) const {
    dict.set(name, list(name, tensors));
  }
  void operator()(const char* name, const std::optional<std::vector<Tensor>>& tensors) const {
    if (tensors) dict.set(name, list(name, *tensors));
  }
  void operator()(const char* name, std::int64_t value) const { dict.set(name, to_state(value)); }
  void operator()(const char* name, double value) const { dict.set(name, to_state(value)); }

 private:
  template <typename Tensors>
  StateValue list(const std::string& name, const Tensors& tensors) const {
    StateValue values = StateValue::list();
    std::size_t position = 0;
    for (const Tensor& tensor : tensors) {
      const std::string entry = name + "/" + std::to_string(position++);
      values.append(tensor.defined() ? store(entry, tensor) : StateValue::null());
    }
    return values;
  }
};

// What the file does not have becomes what it is in a new state.
struct StateReader {
  const StateView& entries;
  const FetchTensor& fetch;
  std::vector<std::string_view>& known;

  void operator()(const char* name, Tensor& tensor) const {
    const auto view = find(name);
    tensor = view ? fetch(*view, tensor) : Tensor();
  }
  void operator()(const char* name, std::deque<Tensor>& tensors) const {
    tensors.clear();
    const auto view = find(name);
    if (view) each(name, *view, [&](Tensor tensor) { tensors.push_back(std::move(tensor)); });
  }
  void operator()(const char* name, std::optional<std::vector<Tensor>>& tensors) const {
    tensors.reset();
    const auto view = find(name);
    if (!view) return;
    tensors.emplace();
    each(name, *view, [&](Tensor tensor) { tensors->push_back(std::move(tensor)); });
  }
  // Python keeps `step` as a 0-d float tensor.
  void operator()(const char* name, std::int64_t& value) const {
    const auto view = find(name);
    value = 0;
    if (!view) return;
    if (view->kind() == StateKind::kInt64) {
      value = view->as_int64();
      return;
    }
    const double counted = number(name, *view);
    if (!(counted >= 0 && counted <= 9007199254740992.0)) wrong_type("counter", name, *view);
    value = static_cast<std::int64_t>(counted);
  }
  void operator()(const char* name, double& value) const {
    const auto view = find(name);
    value = view ? number(name, *view) : 0;
  }

 private:
  std::optional<StateView> find(const char* name) const {
    known.push_back(name);
    std::optional<StateView> view = entries.find(name);
    if (view && view->kind() == StateKind::kNull) return std::nullopt;
    return view;
  }
  double number(const char* name, const StateView& view) const {
    if (view.kind() == StateKind::kInt64) return static_cast<double>(view.as_int64());
    if (view.kind() == StateKind::kFloat64) return view.as_float64();
    if (view.kind() != StateKind::kTensor) wrong_type("state entry", name, view);
    const Tensor tensor = fetch(view, {});
    if (tensor.numel() != 1) wrong_type("state entry", name, view);
    return tensor.cpu().to(torch::kDouble).item<double>();
  }
  template <typename Take>
  void each(const char* name, const StateView& view, Take take) const {
    if (view.kind() != StateKind::kList && view.kind() != StateKind::kTuple) {
      wrong_type("state entry", name, view);
    }
    for (auto child = view.first_child(); child; child = child->next_sibling()) {
      take(child->kind() == StateKind::kNull ? Tensor() : fetch(*child, {}));
    }
  }
};

enum class Trait : std::uint8_t { kNone, kJoint, kInitialState };

template <typename Options, typename State, Trait trait = Trait::kNone>
class KindOf final : public OptimizerKind {
 public:
  explicit KindOf(std::string_view class_name) : class_name_(class_name) {}
  std::string_view class_name() const override { return class_name_; }
  bool is_joint() const override { return trait == Trait::kJoint; }
  bool has_initial_state() const override { return trait == Trait::kInitialState; }

  StateValue save_options(const torch::optim::OptimizerOptions& options) const override {
    Options copy = static_cast<const Options&>(options);  // accessors are not const
    StateValue dict = StateValue::dict();
    visit(copy, OptionsWriter{dict});
    return dict;
  }

  StateValue save_state(torch::optim::OptimizerParamState& state,
                        const StoreTensor& store) const override {
    StateValue dict = StateValue::dict();
    visit(static_cast<State&>(state), StateWriter{dict, store});
    return dict;
  }

  std::unique_ptr<torch::optim::OptimizerOptions> load_options(
      const torch::optim::OptimizerOptions& current, const StateView& group,
      std::vector<std::string>* ignored) const override {
    auto options = std::make_unique<Options>(static_cast<const Options&>(current));
    std::vector<std::string_view> known;
    visit(*options, OptionsReader{group, known});
    note_others(group, known, kMemberKeys, ignored);
    return options;
  }

  ParamState load_state(const torch::optim::OptimizerParamState* current, const StateView& entries,
                        const FetchTensor& fetch,
                        std::vector<std::string>* ignored) const override {
    auto state = current != nullptr ? std::make_unique<State>(static_cast<const State&>(*current))
                                    : std::make_unique<State>();
    std::vector<std::string_view> known;
    visit(*state, StateReader{entries, fetch, known});
    note_others(entries, known, std::array<std::string_view, 0>{}, ignored);
    return state;
  }

  void complete_state(torch::optim::OptimizerParamState& state,
                      const torch::optim::OptimizerOptions& options, const StateOwner& owner,
                      std::vector<std::string>* started) const override {
    Options copy = static_cast<const Options&>(options);
    complete(static_cast<State&>(state), copy, owner, started);
  }

 private:
  std::string_view class_name_;
};

}  // namespace

const OptimizerKind& kind_of(const torch::optim::Optimizer& optimizer) {
  namespace optim = torch::optim;
  static const KindOf<optim::SGDOptions, optim::SGDParamState> sgd("SGD");
  static const KindOf<optim::AdamOptions, optim::AdamParamState> adam("Adam");
  static const KindOf<optim::AdamWOptions, optim::AdamWParamState> adamw("AdamW");
  static const KindOf<optim::RMSpropOptions, optim::RMSpropParamState> rmsprop("RMSprop");
  static const KindOf<optim::AdagradOptions, optim::AdagradParamState, Trait::kInitialState>
      adagrad("Adagrad");
  static const KindOf<optim::LBFGSOptions, optim::LBFGSParamState, Trait::kJoint> lbfgs("LBFGS");
  if (dynamic_cast<const optim::SGD*>(&optimizer) != nullptr) return sgd;
  if (dynamic_cast<const optim::Adam*>(&optimizer) != nullptr) return adam;
  if (dynamic_cast<const optim::AdamW*>(&optimizer) != nullptr) return adamw;
  if (dynamic_cast<const optim::RMSprop*>(&optimizer) != nullptr) return rmsprop;
  if (dynamic_cast<const optim::Adagrad*>(&optimizer) != nullptr) return adagrad;
  if (dynamic_cast<const optim::LBFGS*>(&optimizer) != nullptr) return lbfgs;
  raise(Code::kUnsupported, std::string("no way to store an optimizer of class ") +
                                c10::demangle(typeid(optimizer).name()));
}

}  // namespace ingot::libtorch
