// ingot diff: how two files differ, tensor by tensor.
#include "tools/diff/diff.h"

#include <fmt/format.h>

#include <chrono>

#include "base/error.h"
#include "base/printable.h"
#include "tools/cli/command.h"
#include "tools/cli/json.h"
#include "tools/cli/progress.h"
#include "tools/cli/signals.h"
#include "tools/cli/text.h"

namespace ingot::tools {
namespace {

constexpr const char* kExamples =
    "  ingot diff step-1000.ingot step-2000.ingot\n"
    "  ingot diff model.ingot model.safetensors\n"
    "  ingot diff --no-values --json a.ingot b.ingot | jq '.tensors[].name'\n";

struct DiffCommand {
  std::string a;
  std::string b;
  bool names_only = false;
  bool no_values = false;
  DiffOptions options;
};

std::string number_text(Number value) { return fmt::format("{:.6g}", static_cast<double>(value)); }

std::string facts_text(const TensorFacts& facts) {
  return fmt::format("{} {}", dtype_name(facts.dtype), shape_text(facts.shape));
}

std::string values_text(const ValueDiff& values) {
  std::string text = fmt::format("{} of {} elements", values.differing, values.elements);
  if (values.has_max) {
    text += fmt::format(", by {} at most (element {})", number_text(values.max_abs), values.max_at);
  }
  if (values.nan > 0) text += fmt::format(", {} with NaN", values.nan);
  return text;
}

bool has_change(const TensorChange& change, std::string_view what) {
  return std::find(change.changes.begin(), change.changes.end(), what) != change.changes.end();
}

class Printer {
 public:
  explicit Printer(Console& console) : console_(console), out_(console.out()) {}

  void tensor(const TensorChange& change) {
    if (has_change(change, "added")) {
      return line(Color::kGreen, "+", change.name, facts_text(*change.b));
    }
    if (has_change(change, "removed")) {
      return line(Color::kRed, "-", change.name, facts_text(*change.a));
    }
    std::string text;
    for (const std::string& what : change.changes) {
      if (!text.empty()) text += ", ";
      text += what;
      if (what == "retyped" || what == "reshaped") {
        const bool type = what == "retyped";
        text +=
            " " + (type ? std::string(dtype_name(change.a->dtype)) : shape_text(change.a->shape));
        text += " -> ";
        text += type ? std::string(dtype_name(change.b->dtype)) : shape_text(change.b->shape);
      }
    }
    if (change.values) text += ": " + values_text(*change.values);
    line(Color::kYellow, "~", change.name, text);
  }

  void attachment(const TensorChange& change) {
    const std::string name = "attachment " + change.name;
    if (has_change(change, "added")) {
      return line(Color::kGreen, "+", name, human_bytes(change.b->bytes));
    }
    if (has_change(change, "removed")) {
      return line(Color::kRed, "-", name, human_bytes(change.a->bytes));
    }
    line(Color::kYellow, "~", name, fmt::format("{}", fmt::join(change.changes, ", ")));
  }

  void state(const StateChange& change) {
    const Color color = change.kind == StateChange::Kind::kAdded     ? Color::kGreen
                        : change.kind == StateChange::Kind::kRemoved ? Color::kRed
                                                                     : Color::kYellow;
    const std::string_view sign = change.kind == StateChange::Kind::kAdded     ? "+"
                                  : change.kind == StateChange::Kind::kRemoved ? "-"
                                                                               : "~";
    std::string text(change_name(change.kind));
    if (change.a) text += " " + to_text(state_to_json(*change.a));
    if (change.a && change.b) text += " ->";
    if (change.b) text += " " + to_text(state_to_json(*change.b));
    line(color, sign, "state " + (change.path.empty() ? "/" : change.path), text);
  }

  void summary(const DiffReport& report) {
    if (report.is_equal()) {
      out_.print("equal: {}\n", counted(report.compared, "tensor"));
      return;
    }
    std::string text;
    const auto add = [&](std::uint64_t count, std::string_view what) {
      if (count == 0) return;
      if (!text.empty()) text += ", ";
      text += fmt::format("{} {}", count, what);
    };
    for (const std::string_view what :
         {"added", "removed", "retyped", "reshaped", "changed", "role", "requires_grad", "layout",
          "tied", "quantization"}) {
      add(count(report, what), what);
    }
    add(report.equal, "equal");
    out_.print("tensors: {}", text.empty() ? "none" : text);
    if (!report.attachments.empty())
      out_.print("; attachments: {}", counted(report.attachments.size(), "difference"));
    if (!report.state.empty())
      out_.print("; state: {}", counted(report.state.size(), "difference"));
    out_.write("\n");
  }

  static std::uint64_t count(const DiffReport& report, std::string_view what) {
    return static_cast<std::uint64_t>(
        std::count_if(report.tensors.begin(), report.tensors.end(),
                      [&](const TensorChange& change) { return has_change(change, what); }));
  }

 private:
  void line(Color color, std::string_view sign, std::string_view name, std::string_view text) {
    out_.print("{}  {}\n", console_.paint(color, printable(fmt::format("{} {}", sign, name))),
               text);
  }

  Console& console_;
  Output& out_;
};

Json facts_to_json(const std::optional<TensorFacts>& facts) {
  if (!facts) return nullptr;
  return Json{{"dtype", dtype_name(facts->dtype)},
              {"shape", std::vector<std::int64_t>(facts->shape.begin(), facts->shape.end())},
              {"bytes", facts->bytes}};
}

Json values_to_json(const std::optional<ValueDiff>& values) {
  if (!values) return nullptr;
  Json json{{"elements", values->elements},
            {"differing", values->differing},
            {"nan", values->nan},
            {"max_abs", nullptr},
            {"max_at", nullptr}};
  if (values->has_max) {
    json["max_abs"] = number_to_json(static_cast<double>(values->max_abs));
    json["max_at"] = values->max_at;
  }
  return json;
}

Json tensor_to_json(const TensorChange& change) {
  return Json{{"name", change.name},
              {"changes", change.changes},
              {"a", facts_to_json(change.a)},
              {"b", facts_to_json(change.b)},
              {"values", values_to_json(change.values)}};
}

Json attachment_to_json(const TensorChange& change) {
  const auto bytes = [](const std::optional<TensorFacts>& facts) {
    return facts ? Json(facts->bytes) : Json(nullptr);
  };
  return Json{{"name", change.name},
              {"changes", change.changes},
              {"a_bytes", bytes(change.a)},
              {"b_bytes", bytes(change.b)}};
}

Json state_change_to_json(const StateChange& change) {
  const auto value = [](const std::optional<StateValue>& v) {
    return v ? state_to_json(*v) : Json(nullptr);
  };
  return Json{{"path", change.path},
              {"change", change_name(change.kind)},
              {"a", value(change.a)},
              {"b", value(change.b)}};
}

Json report_to_json(const DiffCommand& command, const DiffReport& report, double seconds) {
  Json counts{{"compared", report.compared}, {"equal", report.equal}};
  for (const std::string_view what : {"added", "removed", "retyped", "reshaped", "changed"}) {
    counts[std::string(what)] = Printer::count(report, what);
  }
  Json json{{"ok", true},
            {"equal", report.is_equal()},
            {"a", command.a},
            {"b", command.b},
            {"counts", std::move(counts)},
            {"tensors", Json::array()},
            {"attachments", Json::array()},
            {"state", Json::array()},
            {"bytes_read", report.bytes_read},
            {"seconds", seconds}};
  for (const TensorChange& change : report.tensors) {
    json["tensors"].push_back(tensor_to_json(change));
  }
  for (const TensorChange& change : report.attachments) {
    json["attachments"].push_back(attachment_to_json(change));
  }
  for (const StateChange& change : report.state) {
    json["state"].push_back(state_change_to_json(change));
  }
  return json;
}

Result<int> run(DiffCommand& command, Console& console) {
  const auto begin = std::chrono::steady_clock::now();
  DiffOptions options = command.options;
  options.depth = command.names_only  ? DiffDepth::kNames
                  : command.no_values ? DiffDepth::kDigests
                                      : DiffDepth::kValues;
  INGOT_ASSIGN_OR_RETURN(const std::unique_ptr<DiffSource> a,
                         DiffSource::open(command.a, options.follow_symlinks));
  INGOT_ASSIGN_OR_RETURN(const std::unique_ptr<DiffSource> b,
                         DiffSource::open(command.b, options.follow_symlinks));
  Result<DiffReport> report = Status();
  {
    Progress progress(console, "diff");
    options.progress = progress.callback();
    options.cancel = &cancel_flag();
    report = diff(*a, *b, options);
  }
  if (!report.ok()) return report.status();
  if (console.json()) {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    console.out().write(to_line(report_to_json(command, *report, seconds.count())));
  } else {
    Printer printer(console);
    for (const TensorChange& change : report->tensors) printer.tensor(change);
    for (const TensorChange& change : report->attachments) printer.attachment(change);
    for (const StateChange& change : report->state) printer.state(change);
    printer.summary(*report);
  }
  return report->is_equal() ? 0 : 1;
}

}  // namespace

Command add_diff(CLI::App& parent) {
  Command command =
      add_command(parent, "diff", "Compare two files, each .ingot or .safetensors", kExamples);
  auto options = std::make_shared<DiffCommand>();
  CLI::App& app = *command.app;
  app.add_option("A", options->a, "A file, or .safetensors shards as for convert")
      ->required()
      ->type_name("");
  app.add_option("B", options->b, "Another")->required()->type_name("");
  CLI::Option* names = app.add_flag("--names-only", options->names_only,
                                    "Compare names, dtypes, shapes and attributes: no data");
  CLI::Option* values =
      app.add_flag("--no-values", options->no_values, "Say which tensors differ, not by how much");
  app.add_flag("--follow-symlinks", options->options.follow_symlinks,
               "Allow shards to be symbolic links");
  names->excludes(values);
  command.run = [options](Console& console) { return run(*options, console); };
  return command;
}

}  // namespace ingot::tools
