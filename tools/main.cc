// ingot: inspect, verify, convert, diff, extract, repair and bench Ingot files.
//
// Parses and dispatches; the commands are in tools/commands. Exit codes: docs/cli.md.
#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "ingot/version.h"

#include "tools/cli/command.h"
#include "tools/cli/console.h"
#include "tools/cli/signals.h"

namespace ingot::tools {
namespace {

constexpr int kUsageError = 64;   // EX_USAGE of sysexits.h
constexpr int kBrokenPipe = 141;  // as if SIGPIPE had ended the command

std::string version_text() {
  return fmt::format("ingot {} (file format {}.{})", kLibraryVersion, kFormatVersionMajor,
                     kFormatVersionMinor);
}

int exit_code_of(const Status& status) {
  if (status.code() == Code::kCancelled && signal_received() != 0) return 128 + signal_received();
  return exit_code(status.code());
}

// Standard output failing is a failure of the command, unless its reader has simply gone.
int finish(Console& console, int code) {
  const Status status = console.out().flush();
  if (!status.ok()) {
    console.fail(status);
    return code == 0 ? exit_code_of(status) : code;
  }
  return console.out().closed() && code == 0 ? kBrokenPipe : code;
}

int run_command(const Command& command) {
  Console console(*command.common);
  Status failure;
  try {
    Result<int> code = command.run(console);
    if (code.ok()) return finish(console, *code);
    failure = code.status();
  } catch (const std::bad_alloc&) {
    failure = Status(Code::kResourceExhausted, "out of memory");
  } catch (const std::exception& error) {
    failure = Status(Code::kInternal, error.what());
  }
  console.fail(failure);
  return finish(console, exit_code_of(failure));
}

// The parser's complaint, as one line and, when asked for, as JSON.
int report_usage(const std::string& what, bool json) {
  CommonOptions options;
  options.json = json;
  Console console(options);
  console.fail(Status(Code::kInvalidArgument, what + " (see --help)"));
  return finish(console, kUsageError);
}

// The parser leaves two empty lines before a group of options, and some at the end.
std::string tidy(std::string help) {
  for (std::size_t at = 0; (at = help.find("\n\n\n", at)) != std::string::npos;) help.erase(at, 1);
  while (help.ends_with("\n\n")) help.pop_back();
  return help;
}

int report_help(const CLI::App& app, const CLI::ParseError& error) {
  Console console({});
  if (error.get_name() == "CallForVersion") {
    console.out().write(version_text() + "\n");
  } else {
    const std::vector<CLI::App*> chosen = app.get_subcommands();
    console.out().write(tidy(chosen.empty() ? app.help() : chosen.front()->help("ingot")));
  }
  return finish(console, 0);
}

int main(int argc, char** argv) {
  occupy_standard_descriptors();
  install_signal_handlers();
  CLI::App app("Inspect, verify, convert, compare, extract from, repair and load Ingot files",
               "ingot");
  app.formatter(std::make_shared<HelpFormatter>());  // before the commands, which inherit it
  app.set_version_flag("--version", version_text(), "Print the versions of library and format");
  app.require_subcommand(1);
  app.footer("`ingot COMMAND --help` says more; docs/cli.md has exit codes and JSON shapes.");
  const std::vector<Command> commands = {add_inspect(app), add_verify(app),  add_convert(app),
                                         add_diff(app),    add_extract(app), add_repair(app),
                                         add_bench(app)};
  const bool json = std::any_of(argv + 1, argv + argc,
                                [](const char* a) { return std::string_view(a) == "--json"; });
  const bool known = argc > 1 && std::any_of(commands.begin(), commands.end(), [&](const auto& c) {
                       return c.app->get_name() == argv[1];
                     });
  if (argc > 1 && argv[1][0] != '-' && !known) {
    return report_usage("no command is called " + std::string(argv[1]), json);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return report_help(app, help);
  } catch (const CLI::CallForVersion& version) {
    return report_help(app, version);
  } catch (const CLI::ParseError& error) {
    return report_usage(error.what(), json);
  }
  const auto chosen = std::find_if(commands.begin(), commands.end(),
                                   [](const Command& command) { return command.app->parsed(); });
  return run_command(*chosen);
}

}  // namespace
}  // namespace ingot::tools

int main(int argc, char** argv) {
  try {
    return ingot::tools::main(argc, argv);
  } catch (...) {
    return 70;  // EX_SOFTWARE: out of memory while parsing the command line
  }
}
