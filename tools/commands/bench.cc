// ingot bench: how fast this machine loads a file.
#include <fmt/format.h>

#include <map>

#include "ingot/stream.h"

#include "base/error.h"
#include "base/printable.h"
#include "tools/bench/load_bench.h"
#include "tools/cli/command.h"
#include "tools/cli/device_option.h"
#include "tools/cli/file_kind.h"
#include "tools/cli/json.h"
#include "tools/cli/signals.h"
#include "tools/cli/text.h"

namespace ingot::tools {
namespace {

constexpr const char* kExamples =
    "  ingot bench load model.ingot                         to memory, from the page cache\n"
    "  ingot bench load --cold model.ingot                  from storage\n"
    "  ingot bench load --device cuda:0 --verify on-device model.ingot\n";

struct BenchCommand {
  std::string what;
  std::string path;
  std::string device = "host";
  std::string transport = "auto";
  std::string verify = "touched";
  LoadBenchOptions options;
};

Status parse(BenchCommand& command) {
  if (command.what != "load") {
    return Status(Code::kInvalidArgument, "bench measures `load`, not " + command.what);
  }
  const std::optional<Transport> transport = parse_transport(command.transport);
  if (!transport) {
    return make_error(Code::kInvalidArgument, "--transport")
        .expected("auto, page-cache, read, direct, registered-mapping or device-file")
        .found(command.transport);
  }
  const std::map<std::string, StreamVerify> levels = {{"none", StreamVerify::kNone},
                                                      {"touched", StreamVerify::kTouched},
                                                      {"on-device", StreamVerify::kOnDevice}};
  const auto level = levels.find(command.verify);
  if (level == levels.end()) {
    return make_error(Code::kInvalidArgument, "--verify")
        .expected("none, touched or on-device")
        .found(command.verify);
  }
  command.options.stream.transport = *transport;
  command.options.stream.verify = level->second;
  command.options.stream.cancel = &cancel_flag();
  return {};
}

double gbps(std::uint64_t bytes, double seconds, int threads) {
  return seconds > 0 ? static_cast<double>(bytes) * threads / seconds / 1e9 : 0;
}

Json to_json(const BenchCommand& command, const LoadBench& bench) {
  const StreamReport& report = bench.report;
  return Json{{"ok", true},
              {"file", command.path},
              {"device", command.device},
              {"bytes", report.bytes},
              {"bytes_read", report.bytes_read},
              {"bytes_verified", report.bytes_verified},
              {"seconds", bench.seconds},
              {"fastest_seconds", bench.fastest},
              {"slowest_seconds", bench.slowest},
              {"repetitions", command.options.repetitions},
              {"gbps", bench.gbps},
              {"ceiling_gbps", bench.ceiling_gbps},
              {"ceiling", bench.ceiling},
              {"cold", command.options.cold},
              {"transport", transport_name(report.transport)},
              {"reason", report.reason},
              {"verify", stream_verify_name(report.verify)},
              {"threads", report.threads},
              {"transfers", report.transfers},
              {"copies", report.copies},
              {"stage_seconds",
               {{"read", report.stages.read},
                {"verify", report.stages.verify},
                {"copy", report.stages.copy}}},
              {"slot_bytes", report.slot_bytes},
              {"peak_pinned_bytes", report.peak_staging_bytes},
              {"peak_rss_bytes", bench.peak_rss_bytes},
              {"added_rss_bytes", bench.added_rss_bytes},
              {"destination_bytes", bench.destination_bytes}};
}

void print(const BenchCommand& command, const LoadBench& bench, Console& console) {
  const StreamReport& report = bench.report;
  Output& out = console.out();
  out.print("{}: {} to {} in {:.4f} s ({:.4f} to {:.4f}, {} runs)\n", printable(command.path),
            human_bytes(report.bytes), command.device, bench.seconds, bench.fastest, bench.slowest,
            command.options.repetitions);
  out.print("  load       {:8.2f} GB/s   {:.0f} % of the ceiling\n", bench.gbps,
            100 * bench.gbps / bench.ceiling_gbps);
  out.print("  ceiling    {:8.2f} GB/s   {}\n", bench.ceiling_gbps, bench.ceiling);
  const auto stage = [&](const char* name, double seconds, std::uint64_t bytes) {
    if (seconds <= 0) return;
    out.print("  {:<10} {:8.2f} GB/s   {:.4f} s in {}\n", name,
              gbps(bytes, seconds, report.threads), seconds,
              counted(static_cast<std::uint64_t>(report.threads), "thread"));
  };
  stage("read", report.stages.read, report.bytes_read);
  stage("verify", report.stages.verify, report.bytes_verified);
  stage("copy", report.stages.copy, report.bytes);
  out.print("  transport  {} ({}), {}, {}\n", transport_name(report.transport), report.reason,
            counted(report.transfers, "transfer"),
            report.copies == 0 ? "filled in place" : fmt::format("{} copies", report.copies));
  out.print("  verified   {} ({})\n", stream_verify_name(report.verify),
            human_bytes(report.bytes_verified));
  out.print("  memory     {} of staging, {} resident at most, {} of it added by the load\n",
            human_bytes(report.peak_staging_bytes), human_bytes(bench.peak_rss_bytes),
            human_bytes(bench.added_rss_bytes));
}

Result<int> run(BenchCommand& command, Console& console) {
  INGOT_RETURN_IF_ERROR(parse(command));
  INGOT_ASSIGN_OR_RETURN(const std::unique_ptr<Device> device, open_device(command.device));
  INGOT_ASSIGN_OR_RETURN(const Checkpoint checkpoint, open_checkpoint(command.path));
  INGOT_ASSIGN_OR_RETURN(const LoadBench bench,
                         run_load_bench(checkpoint, *device, command.options));
  if (console.json()) {
    console.out().write(to_line(to_json(command, bench)));
  } else {
    print(command, bench, console);
  }
  return 0;
}

}  // namespace

Command add_bench(CLI::App& parent) {
  Command command =
      add_command(parent, "bench", "Measure loading, with the machine's ceiling beside", kExamples);
  auto options = std::make_shared<BenchCommand>();
  LoadBenchOptions& bench = options->options;
  CLI::App& app = *command.app;
  app.add_option("WHAT", options->what, "load")->required()->type_name("");
  app.add_option("FILE", options->path, "An Ingot file")->required()->type_name("");
  app.add_option("--device", options->device, "host (the default) or cuda:N")->type_name("DEVICE");
  app.add_option("--transport", options->transport,
                 "auto, page-cache, read, direct, registered-mapping, device-file")
      ->type_name("NAME");
  app.add_option("--verify", options->verify, "touched (the default), on-device, none")
      ->type_name("LEVEL");
  add_size_option(app, "--budget", bench.stream.staging_bytes,
                  "Staging memory at most; the default is 256MiB");
  app.add_option("--threads", bench.stream.threads, "Reader threads; 0, the default: all")
      ->type_name("N")
      ->check(CLI::Range(0, 1024).description(""));
  app.add_flag("--cold", bench.cold, "Drop the file from the page cache before each run");
  app.add_flag("--in-place", bench.in_place, "Each tensor by itself instead of all in one slab");
  app.add_option("--repetitions", bench.repetitions, "Runs, after one that is not counted; 5")
      ->type_name("N")
      ->check(CLI::Range(1, 1000).description(""));
  command.run = [options](Console& console) { return run(*options, console); };
  return command;
}

}  // namespace ingot::tools
