// ingot convert: .safetensors to .ingot and back.
#include <chrono>
#include <filesystem>

#include "base/error.h"
#include "base/printable.h"
#include "tools/cli/command.h"
#include "tools/cli/file_kind.h"
#include "tools/cli/json.h"
#include "tools/cli/progress.h"
#include "tools/cli/signals.h"
#include "tools/cli/text.h"
#include "tools/cli/threads.h"
#include "tools/convert/export.h"
#include "tools/convert/import.h"

namespace ingot::tools {
namespace {

constexpr const char* kExamples =
    "  ingot convert model.safetensors model.ingot --attach config.json\n"
    "  ingot convert Llama-3-8B/ llama.ingot        a folder with shards and their index\n"
    "  ingot convert model.ingot model.safetensors\n"
    "  ingot convert model.ingot out/ --shard-size 5GB\n";

struct ConvertOptions {
  std::string in;
  std::string out;
  bool force = false;
  bool no_fsync = false;
  bool drop_extra = false;
  // To .ingot.
  std::uint64_t chunk_bytes = WriterOptions{}.chunk_bytes;
  std::uint64_t alignment = WriterOptions{}.alignment;
  bool sha256 = false;
  int threads = 0;
  std::vector<std::string> attachments;
  bool follow_symlinks = false;
  // To .safetensors.
  std::uint64_t shard_bytes = 0;
  bool duplicate_tied = false;
  // Those of either group that were given, for complaints.
  std::vector<std::string> import_only;
  std::vector<std::string> export_only;
};

Status usage_error(const std::string& what) { return {Code::kInvalidArgument, what}; }

Result<ConvertReport> run_import(const ConvertOptions& options, Progress& progress) {
  ImportOptions import;
  import.follow_symlinks = options.follow_symlinks;
  import.drop_extra = options.drop_extra;
  for (const std::string& argument : options.attachments) {
    import.attachments.push_back(parse_attach(argument));
  }
  import.writer.existing = options.force ? Existing::kReplace : Existing::kFail;
  import.writer.durability = options.no_fsync ? Durability::kNone : Durability::kFull;
  import.writer.chunk_bytes = options.chunk_bytes;
  import.writer.alignment = options.alignment;
  import.writer.sha256 = options.sha256;
  import.writer.threads = thread_count(options.threads);
  import.writer.progress = progress.callback();
  import.writer.cancel = &cancel_flag();
  return import_safetensors(options.in, options.out, import);
}

Result<ConvertReport> run_export(const ConvertOptions& options, Progress& progress) {
  INGOT_ASSIGN_OR_RETURN(const Checkpoint checkpoint, open_checkpoint(options.in));
  ExportOptions to;
  to.replace = options.force;
  to.durable = !options.no_fsync;
  to.shard_bytes = options.shard_bytes;
  to.duplicate_tied = options.duplicate_tied;
  to.drop_extra = options.drop_extra;
  to.progress = progress.callback();
  to.cancel = &cancel_flag();
  return export_safetensors(checkpoint, options.out, to);
}

void print_report(const ConvertOptions& options, const ConvertReport& report, double seconds,
                  Console& console) {
  if (console.json()) {
    console.out().write(to_line(Json{{"ok", true},
                                     {"input", options.in},
                                     {"output", options.out},
                                     {"files", report.files},
                                     {"tensors", report.tensors},
                                     {"attachments", report.attachments},
                                     {"bytes", report.data_bytes},
                                     {"file_bytes", report.file_bytes},
                                     {"seconds", seconds},
                                     {"dropped", report.dropped},
                                     {"duplicated", report.duplicated},
                                     {"removed", report.removed},
                                     {"io_path", report.io_path},
                                     {"io_reason", report.io_reason}}));
    return;
  }
  if (!report.dropped.empty()) console.note("left out: " + joined_names(report.dropped));
  if (!report.duplicated.empty()) {
    console.note("tied tensors written one by one: " + joined_names(report.duplicated));
  }
  if (!report.removed.empty()) {
    console.note("removed of the older export: " + joined_names(report.removed));
  }
  console.out().print("{}: {}, {}", printable(options.out), counted(report.tensors, "tensor"),
                      human_bytes(report.data_bytes));
  if (report.attachments > 0) {
    console.out().print(", {}", counted(report.attachments, "attachment"));
  }
  if (report.files.size() > 1) console.out().print(", {} files", report.files.size());
  console.out().print("; {} written in {:.2f} s ({})\n", human_bytes(report.file_bytes), seconds,
                      report.io_path);
}

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

Status check_output(const ConvertOptions& options, bool to_ingot) {
  const std::vector<std::string>& wrong = to_ingot ? options.export_only : options.import_only;
  const std::string format = to_ingot ? ".safetensors" : ".ingot";
  if (!wrong.empty()) return usage_error(wrong.front() + " is for conversions to " + format);
  if (to_ingot && !options.out.ends_with(".ingot")) {
    return usage_error("a conversion from .safetensors needs an output named *.ingot, not " +
                       options.out);
  }
  if (!to_ingot && options.out.ends_with(".ingot")) {
    return usage_error(options.in + " is an Ingot file already");
  }
  if (options.shard_bytes == 0 && is_folder(options.out)) {
    return usage_error(options.out + " is a folder" +
                       (to_ingot ? "" : ": --shard-size writes shards into it"));
  }
  return {};
}

Result<int> run(const ConvertOptions& options, Console& console) {
  const auto begin = std::chrono::steady_clock::now();
  Progress progress(console, "convert");
  const bool to_ingot = kind_of(options.in) != FileKind::kIngot;
  INGOT_RETURN_IF_ERROR(check_output(options, to_ingot));
  const Result<ConvertReport> report =
      to_ingot ? run_import(options, progress) : run_export(options, progress);
  if (!report.ok()) return report.status();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  print_report(options, *report, seconds.count(), console);
  return 0;
}

}  // namespace

Command add_convert(CLI::App& parent) {
  Command command =
      add_command(parent, "convert", "Convert .safetensors to .ingot and back", kExamples);
  auto options = std::make_shared<ConvertOptions>();
  CLI::App& app = *command.app;
  app.add_option("INPUT", options->in,
                 "A .safetensors or .ingot file, a *.safetensors.index.json,\n"
                 "or a folder with one of model.safetensors[.index.json]")
      ->required()
      ->type_name("");
  app.add_option("OUTPUT", options->out, "*.ingot; else .safetensors, or a folder for shards")
      ->required()
      ->type_name("");
  app.add_flag("--force", options->force, "Replace the output where it exists");
  app.add_flag("--no-fsync", options->no_fsync,
               "Do not wait until the output is on stable storage");
  app.add_flag("--drop-extra", options->drop_extra,
               "Leave out what the output cannot hold, instead of refusing");

  const std::string to_ingot = "To .ingot";
  const std::vector<CLI::Option*> imports = {
      add_size_option(app, "--chunk-size", options->chunk_bytes,
                      "Bytes per digest: a power of two, 64KiB to 1GiB (default 1MiB)"),
      add_size_option(app, "--alignment", options->alignment,
                      "Of storages of 64KiB and more: 4KiB to 2MiB (default 4KiB)"),
      app.add_flag("--sha256", options->sha256, "Also a SHA-256 per chunk and a root over them"),
      app.add_option("--threads", options->threads, "Threads that hash; 0, the default: all")
          ->type_name("N")
          ->check(CLI::Range(0, 1024).description("")),
      app.add_option("--attach", options->attachments,
                     "Attach a file, with its media type after a colon if the\n"
                     "extension does not tell; repeatable")
          ->type_name("FILE[:TYPE]")
          ->expected(1)
          ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll),
      app.add_flag("--follow-symlinks", options->follow_symlinks,
                   "Allow shards to be symbolic links (Hugging Face cache)")};
  for (CLI::Option* option : imports) option->group(to_ingot);

  const std::vector<CLI::Option*> exports = {
      add_size_option(app, "--shard-size", options->shard_bytes,
                      "Write shards of at most so many bytes and their index\n"
                      "into the folder OUTPUT"),
      app.add_flag("--duplicate-tied", options->duplicate_tied,
                   "Write tensors that share a storage one by one")};
  for (CLI::Option* option : exports) option->group("To .safetensors");

  command.run = [options, imports, exports](Console& console) {
    const auto given = [](const std::vector<CLI::Option*>& all) {
      std::vector<std::string> names;
      for (const CLI::Option* option : all) {
        if (option->count() > 0) names.push_back(option->get_name());
      }
      return names;
    };
    options->import_only = given(imports);
    options->export_only = given(exports);
    return run(*options, console);
  };
  return command;
}

}  // namespace ingot::tools
