#include "libtorch/report.h"

#include <charconv>

namespace ingot::libtorch {
namespace {

std::string text_of(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;  // shortest exact
  return {buffer, end};
}

std::string text_of(const StateValue& value) {
  switch (value.kind()) {
    case StateKind::kNull:
      return "none";
    case StateKind::kBool:
      return value.as_bool() ? "true" : "false";
    case StateKind::kInt64:
      return std::to_string(value.as_int64());
    case StateKind::kFloat64:
      return text_of(value.as_float64());
    case StateKind::kString:
    case StateKind::kTensor:
      return value.text();
    case StateKind::kBytes:
      return std::to_string(value.as_bytes().size()) + " bytes";
    case StateKind::kList:
    case StateKind::kTuple:
    case StateKind::kDict:
      break;
  }
  std::string text = "(";
  for (const StateValue& item : value.items()) {
    if (text.size() > 1) text += ", ";
    text += text_of(item);
  }
  return text + ")";
}

bool exact(const OptimizerReport& report) {
  return report.fresh.empty() && report.unexpected.empty() && report.mismatches.empty() &&
         report.groups.empty();
}

// The first names of a list, and how many more there are: a model may have thousands.
constexpr std::size_t kShown = 20;

template <typename Items, typename Text>
void add_list(std::string& out, const char* title, const Items& items, Text text) {
  if (items.empty()) return;
  out += std::string(title) + " (" + std::to_string(items.size()) + "):\n";
  for (std::size_t i = 0; i < items.size() && i < kShown; ++i) out += "  " + text(items[i]) + "\n";
  if (items.size() > kShown) out += "  and " + std::to_string(items.size() - kShown) + " more\n";
}

void add_names(std::string& out, const char* title, const std::vector<std::string>& names) {
  add_list(out, title, names, [](const std::string& name) { return name; });
}

void add_mismatches(std::string& out, const char* title, const std::vector<Mismatch>& mismatches) {
  add_list(out, title, mismatches, [](const Mismatch& m) {
    return m.name + ": expected " + m.expected + ", the file has " + m.found;
  });
}

void add_optimizer(std::string& out, const OptimizerReport& report) {
  std::string body;
  add_names(body, "new, without stored state", report.fresh);
  add_names(body, "stored, not in this optimizer", report.unexpected);
  add_names(body, "filtered", report.filtered);
  add_mismatches(body, "different", report.mismatches);
  add_names(body, "groups", report.groups);
  add_names(body, "options changed", report.options);
  add_names(body, "not known to LibTorch, ignored", report.ignored);
  add_names(body, "asked for by options, not in the file: zeros", report.started);
  if (!body.empty()) out += "optimizer " + report.name + " (" + report.class_name + "):\n" + body;
}

}  // namespace

bool LoadReport::exact() const {
  if (!missing.empty() || !unexpected.empty() || !shapes.empty() || !dtypes.empty() ||
      !values.empty() || !ties.empty()) {
    return false;
  }
  for (const OptimizerReport& optimizer : optimizers) {
    if (!libtorch::exact(optimizer)) return false;
  }
  return true;
}

std::string LoadReport::to_string() const {
  std::string out = path + ": " + std::to_string(loaded.size()) + " tensors\n";
  add_names(out, "missing in the file", missing);
  add_names(out, "unexpected in the file", unexpected);
  add_mismatches(out, "shape differs", shapes);
  add_mismatches(out, "dtype differs", dtypes);
  add_mismatches(out, "not tied in the file", ties);
  add_mismatches(out, "value of another type", values);
  add_names(out, "not in the file at all", absent);
  add_names(out, "filtered", filtered);
  for (const OptimizerReport& optimizer : optimizers) add_optimizer(out, optimizer);
  return out;
}

namespace {

std::string change_text(const std::string& where, const StateKey& key, const std::string& was,
                        const std::string& is) {
  return where + ": " + std::string(key.text()) + " " + was + " -> " + is;
}

}  // namespace

void note_changes(const StateValue& before, const StateValue& after, const std::string& where,
                  std::vector<std::string>* notes) {
  for (std::size_t i = 0; i < before.keys().size(); ++i) {
    const StateKey& key = before.keys()[i];
    const StateValue* now = after.find(key);
    const std::string was = text_of(before.items()[i]);
    const std::string is = now == nullptr ? "gone" : text_of(*now);
    if (was != is) notes->push_back(change_text(where, key, was, is));
  }
}

}  // namespace ingot::libtorch
