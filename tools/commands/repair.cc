// ingot repair: a damaged header page from its other copy.
#include "ingot/repair.h"

#include "base/printable.h"
#include "tools/cli/command.h"
#include "tools/cli/file_kind.h"
#include "tools/cli/json.h"

namespace ingot::tools {
namespace {

constexpr const char* kExamples =
    "  ingot repair --dry-run model.ingot            say what is wrong, change nothing\n"
    "  ingot repair model.ingot\n";

std::string_view copy_name(HeaderCopy copy) {
  switch (copy) {
    case HeaderCopy::kFirst:
      return "header";
    case HeaderCopy::kSecond:
      return "second header";
    case HeaderCopy::kNone:
      break;
  }
  return "none";
}

Result<int> run(const std::string& path, bool dry_run, Console& console) {
  INGOT_ASSIGN_OR_RETURN(const RepairReport report, repair_header(path, {.dry_run = dry_run}));
  const bool damaged = report.repaired != HeaderCopy::kNone;
  const int code = damaged && dry_run ? exit_code(Code::kCorrupt) : 0;
  if (console.json()) {
    console.out().write(to_line(Json{{"ok", code == 0},
                                     {"file", path},
                                     {"damaged", copy_name(report.repaired)},
                                     {"repaired", damaged && !dry_run},
                                     {"what", report.what}}));
  } else {
    console.out().print("{}: {}\n", printable(path), report.what);
  }
  return code;
}

}  // namespace

Command add_repair(CLI::App& parent) {
  struct Options {
    std::string path;
    bool dry_run = false;
  };
  Command command =
      add_command(parent, "repair", "Rewrite a damaged header from its second copy", kExamples);
  auto options = std::make_shared<Options>();
  command.app->add_option("FILE", options->path, "An Ingot file")->required()->type_name("");
  command.app->add_flag("--dry-run", options->dry_run,
                        "Only say what would be done; exit code 2 if anything");
  command.run = [options](Console& console) {
    return run(options->path, options->dry_run, console);
  };
  return command;
}

}  // namespace ingot::tools
