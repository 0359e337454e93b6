// ingot verify: is a stored file intact, and if not, which tensor and which bytes are damaged.
#include "ingot/verify.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "ingot/bus_guard.h"

#include "base/error.h"
#include "base/printable.h"
#include "io/remote_file_system.h"
#include "tools/cli/command.h"
#include "tools/cli/device_option.h"
#include "tools/cli/file_kind.h"
#include "tools/cli/json.h"
#include "tools/cli/progress.h"
#include "tools/cli/signals.h"
#include "tools/cli/text.h"
#include "tools/verify/on_device.h"

namespace ingot::tools {
namespace {

constexpr const char* kExamples =
    "  ingot verify model.ingot\n"
    "  ingot verify --keep-going --json *.ingot\n"
    "  ingot verify --direct model.ingot            the medium itself, not the page cache\n"
    "  ingot verify --tensor lm_head.weight model.ingot\n";

struct VerifyCommand {
  std::vector<std::string> paths;
  std::string level = "full";
  bool direct = false;
  bool mapping = false;
  bool read = false;
  std::string device;
  VerifyOptions options;
};

// One file's outcome: what is printed of it.
struct Outcome {
  std::string path;
  VerifyReport report;
  std::string reason;
  Status failure;  // what kept it from being verified

  bool ok() const { return failure.ok() && report.intact(); }
};

struct PathChoice {
  ReadPath path;
  std::string reason;
};

PathChoice choose_path(const VerifyCommand& command, const std::string& file) {
  if (command.direct) return {ReadPath::kDirect, "--direct"};
  if (command.mapping) return {ReadPath::kMapping, "--mapping"};
  if (command.read) return {ReadPath::kRead, "--read"};
  const std::string_view remote = io::remote_file_system(file);
  if (!remote.empty()) {
    return {ReadPath::kRead, "mappings of " + std::string(remote) + " files are slow or unsafe"};
  }
  return {ReadPath::kFastest, ""};  // verify() says which way it took, and why
}

Result<VerifyReport> verify_file(const Checkpoint& checkpoint, const VerifyCommand& command,
                                 const PathChoice& choice, Progress& progress) {
  VerifyOptions options = command.options;
  options.level = command.level == "index" ? VerifyLevel::kIndex : VerifyLevel::kFull;
  options.path = choice.path;
  options.progress = progress.callback();
  options.cancel = &cancel_flag();
  const std::uint64_t faults = BusGuard::faults();
  INGOT_ASSIGN_OR_RETURN(VerifyReport report, verify(checkpoint, options));
  if (BusGuard::faults() != faults) {
    return make_error(Code::kIoError, "truncated while it was being read")
        .file(checkpoint.file().path)
        .at(Region::kFile);
  }
  return report;
}

// On the device that was asked for, else on the host.
Result<VerifyReport> verify_somewhere(const Checkpoint& checkpoint, const VerifyCommand& command,
                                      const PathChoice& choice, Progress& progress) {
  if (command.device.empty()) return verify_file(checkpoint, command, choice, progress);
  INGOT_ASSIGN_OR_RETURN(const std::unique_ptr<Device> device, open_device(command.device));
  VerifyOptions options = command.options;
  options.progress = progress.callback();
  options.cancel = &cancel_flag();
  return verify_on_device(checkpoint, *device, options);
}

Outcome verify_path(const VerifyCommand& command, const std::string& path, Console& console) {
  Outcome outcome;
  outcome.path = path;
  const auto begin = std::chrono::steady_clock::now();
  const PathChoice choice = choose_path(command, path);
  Result<Checkpoint> checkpoint = open_checkpoint(path);
  if (checkpoint.ok()) {
    Progress progress(console, "verify");
    Result<VerifyReport> report = verify_somewhere(*checkpoint, command, choice, progress);
    if (report.ok()) {
      outcome.report = *std::move(report);
      // The library's own words matter when it did something else, or more, than it was asked.
      const std::string& reason = outcome.report.reason;
      outcome.reason = command.device.empty() ? choice.reason : "--device";
      if (!reason.empty() && reason != "asked for") {
        outcome.reason += (outcome.reason.empty() ? "" : "; ") + reason;
      }
      return outcome;
    }
    outcome.failure = report.status();
  } else {
    outcome.failure = checkpoint.status();
  }
  outcome.report.path = choice.path;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  outcome.report.seconds = seconds.count();
  return outcome;
}

double gigabytes_per_second(const VerifyReport& report) {
  return report.seconds > 0 ? static_cast<double>(report.bytes) / report.seconds / 1e9 : 0;
}

Json outcome_to_json(const Outcome& outcome) {
  const VerifyReport& report = outcome.report;
  Json errors = Json::array();
  if (!outcome.failure.ok()) errors.push_back(error_to_json(outcome.failure));
  for (const Status& error : report.errors) errors.push_back(error_to_json(error));
  const std::uint64_t count = report.error_count + (outcome.failure.ok() ? 0 : 1);
  return Json{{"ok", outcome.ok()},
              {"file", outcome.path},
              {"bytes", report.bytes},
              {"seconds", report.seconds},
              {"gbps", gigabytes_per_second(report)},
              {"threads", report.threads},
              {"path", read_path_name(report.path)},
              {"reason", outcome.reason},
              {"chunks", report.chunks},
              {"error_count", count},
              {"errors", std::move(errors)}};
}

void print_outcome(const Outcome& outcome, Console& console) {
  const VerifyReport& report = outcome.report;
  if (!outcome.failure.ok()) {
    console.fail(outcome.failure);
    return;
  }
  for (const Status& error : report.errors) console.fail(error);
  if (report.error_count > report.errors.size()) {
    console.note(counted(report.error_count - report.errors.size(), "more error"));
  }
  const std::string how = fmt::format(
      "{} in {:.3f} s, {:.2f} GB/s, {}, by {} ({})", human_bytes(report.bytes), report.seconds,
      gigabytes_per_second(report), counted(static_cast<std::uint64_t>(report.threads), "thread"),
      read_path_name(report.path), outcome.reason);
  if (outcome.ok()) {
    console.out().print("{}: {}: {}\n", printable(outcome.path),
                        console.paint(Color::kGreen, "intact"), how);
  } else {
    console.out().print("{}: {}, {}: {}\n", printable(outcome.path),
                        console.paint(Color::kRed, "damaged"), counted(report.error_count, "error"),
                        how);
  }
}

// Damage outweighs whatever else is wrong, so that a script which looks at the code alone sees it.
Code worst_of(const std::vector<Outcome>& outcomes) {
  constexpr std::array kBySeverity = {Code::kCorrupt, Code::kChecksumMismatch, Code::kTruncated,
                                      Code::kRejected};
  std::vector<Code> codes;
  for (const Outcome& outcome : outcomes) {
    if (!outcome.failure.ok()) codes.push_back(outcome.failure.code());
    for (const Status& error : outcome.report.errors) codes.push_back(error.code());
  }
  for (const Code code : kBySeverity) {
    if (std::find(codes.begin(), codes.end(), code) != codes.end()) return code;
  }
  return codes.empty() ? Code::kOk : codes.front();
}

Result<int> run(const VerifyCommand& command, Console& console) {
  if (command.level != "full" && command.level != "index") {
    return Status(Code::kInvalidArgument, "--level is index or full, not " + command.level);
  }
  // Hashing in place is the fastest way; a file that is truncated meanwhile must not kill us.
  INGOT_ASSIGN_OR_RETURN(const BusGuard guard, BusGuard::install());
  std::vector<Outcome> outcomes;
  for (const std::string& path : command.paths) {
    outcomes.push_back(verify_path(command, path, console));
    if (outcomes.back().failure.code() == Code::kCancelled) return outcomes.back().failure;
    if (!console.json()) print_outcome(outcomes.back(), console);
  }
  if (console.json()) {
    Json json = Json::array();
    for (const Outcome& outcome : outcomes) json.push_back(outcome_to_json(outcome));
    console.out().write(to_line(outcomes.size() == 1 ? json[0] : json));
  }
  return exit_code(worst_of(outcomes));
}

}  // namespace

Command add_verify(CLI::App& parent) {
  Command command =
      add_command(parent, "verify", "Prove that files are intact, or name the damage", kExamples);
  auto options = std::make_shared<VerifyCommand>();
  CLI::App& app = *command.app;
  app.add_option("FILE", options->paths, "Ingot files")->required()->type_name("");
  app.add_option("--level", options->level, "index (all but data), full (the default: every byte)")
      ->type_name("LEVEL");
  app.add_option("--tensor", options->options.tensors, "Only this tensor or attachment; repeatable")
      ->type_name("NAME")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_flag("--keep-going", options->options.keep_going, "Find every error, not just the first");
  app.add_option("--threads", options->options.threads, "Threads that hash; 0, the default: all")
      ->type_name("N")
      ->check(CLI::Range(0, 1024).description(""));
  CLI::Option* direct = app.add_flag("--direct", options->direct,
                                     "Read by O_DIRECT (the default for local files that are not)");
  CLI::Option* mapping = app.add_flag("--mapping", options->mapping,
                                      "Hash mapped pages (the default for local files in memory)");
  CLI::Option* read = app.add_flag("--read", options->read, "Read into private buffers");
  CLI::Option* device =
      app.add_option("--device", options->device, "Hash what arrives on cuda:N (or host)")
          ->type_name("DEVICE");
  for (CLI::Option* option : {direct, mapping, read, device}) option->group("How to read");
  for (CLI::Option* option : {direct, mapping, read}) device->excludes(option);
  device->excludes("--tensor")->excludes("--keep-going")->excludes("--level");
  direct->excludes(mapping)->excludes(read);
  mapping->excludes(read);
  command.run = [options](Console& console) { return run(*options, console); };
  return command;
}

}  // namespace ingot::tools
