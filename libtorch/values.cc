// The plain types of the state tree.
#include "ingot/libtorch.h"

namespace ingot::libtorch {
namespace {

// Depth is bounded by the format, so recursion is too.
bool copy(const StateView& view, StateValue& value) {
  switch (view.kind()) {
    case StateKind::kNull:
      value = StateValue::null();
      return true;
    case StateKind::kBool:
      value = StateValue::boolean(view.as_bool());
      return true;
    case StateKind::kInt64:
      value = StateValue::integer(view.as_int64());
      return true;
    case StateKind::kFloat64:
      value = StateValue::real(view.as_float64());
      return true;
    case StateKind::kString:
      value = StateValue::string(std::string(view.as_string()));
      return true;
    case StateKind::kBytes:
      value = StateValue::bytes({view.as_bytes().begin(), view.as_bytes().end()});
      return true;
    case StateKind::kTensor:
      value = StateValue::tensor(std::string(view.as_tensor_name()));
      return true;
    case StateKind::kList:
    case StateKind::kTuple:
      value = view.kind() == StateKind::kList ? StateValue::list() : StateValue::tuple();
      for (auto child = view.first_child(); child; child = child->next_sibling()) {
        if (!copy(*child, value.append({}))) return false;
      }
      return true;
    case StateKind::kDict:
      value = StateValue::dict();
      for (auto child = view.first_child(); child; child = child->next_sibling()) {
        if (!copy(*child, value.set(*child->key(), {}))) return false;
      }
      return true;
  }
  return false;
}

}  // namespace

StateValue to_state(bool value) { return StateValue::boolean(value); }
StateValue to_state(std::int64_t value) { return StateValue::integer(value); }
StateValue to_state(double value) { return StateValue::real(value); }
StateValue to_state(const std::string& value) { return StateValue::string(value); }
StateValue to_state(const StateValue& value) { return value; }

bool from_state(const StateView& view, bool& value) {
  if (view.kind() != StateKind::kBool) return false;
  value = view.as_bool();
  return true;
}

bool from_state(const StateView& view, std::int64_t& value) {
  if (view.kind() != StateKind::kInt64) return false;
  value = view.as_int64();
  return true;
}

bool from_state(const StateView& view, double& value) {
  if (view.kind() == StateKind::kInt64) {
    value = static_cast<double>(view.as_int64());
    return true;
  }
  if (view.kind() != StateKind::kFloat64) return false;
  value = view.as_float64();
  return true;
}

bool from_state(const StateView& view, std::string& value) {
  if (view.kind() != StateKind::kString) return false;
  value = view.as_string();
  return true;
}

bool from_state(const StateView& view, StateValue& value) {
  StateValue read;
  if (!copy(view, read)) return false;
  value = std::move(read);
  return true;
}

}  // namespace ingot::libtorch
