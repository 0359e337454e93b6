// ingot extract: tensors and attachments as files of their own.
#include "tools/extract/extract.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <map>

#include "base/checked.h"
#include "base/error.h"
#include "base/printable.h"
#include "io/atomic_file.h"
#include "io/transfer.h"
#include "tools/cli/command.h"
#include "tools/cli/file_kind.h"
#include "tools/cli/json.h"
#include "tools/cli/signals.h"
#include "tools/cli/text.h"

namespace ingot::tools {
namespace {

constexpr const char* kExamples =
    "  ingot extract model.ingot lm_head.weight --npy -o lm_head.npy\n"
    "  ingot extract model.ingot lm_head.weight --slice 0:10,: -o - | xxd | head\n"
    "  ingot extract model.ingot --attachment config.json -o config.json\n"
    "  ingot extract model.ingot a.weight a.bias -o tensors/    a file each\n";

struct ExtractCommand {
  std::string path;
  std::vector<std::string> tensors;
  std::vector<std::string> attachments;
  std::string out;
  std::string slice;
  bool has_slice = false;
  bool npy = false;
  bool force = false;
};

Status usage_error(const std::string& what) { return {Code::kInvalidArgument, what}; }

std::vector<ExtractItem> items_of(const ExtractCommand& command) {
  std::vector<ExtractItem> items;
  for (const std::string& name : command.tensors) {
    ExtractItem item{.name = name, .attachment = false, .slice = std::nullopt, .npy = command.npy};
    if (command.has_slice) item.slice = command.slice;
    items.push_back(std::move(item));
  }
  for (const std::string& name : command.attachments) {
    items.push_back({.name = name, .attachment = true, .slice = std::nullopt, .npy = false});
  }
  return items;
}

bool is_folder(const std::string& path) {
  struct ::stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

Status to_stdout(const Checkpoint& checkpoint, const ExtractItem& item, Output& out) {
  const Result<Extracted> extracted =
      extract(checkpoint, item, &cancel_flag(), [&](Bytes bytes) -> Status {
        out.write_raw(as_text(bytes));
        // The reader has gone: there is nobody to go on for.
        if (out.closed()) return {Code::kCancelled, "standard output was closed"};
        return {};
      });
  return out.closed() ? Status() : extracted.status();
}

// One file to be written.
struct Target {
  const ExtractItem* item = nullptr;
  std::string path;
  std::uint64_t bytes = 0;
};

Result<Extracted> to_file(const Checkpoint& checkpoint, const Target& target, bool force) {
  INGOT_ASSIGN_OR_RETURN(io::AtomicFile file,
                         io::AtomicFile::create(io::posix(), target.path, {.replace = force}));
  INGOT_RETURN_IF_ERROR(file.reserve(target.bytes));
  std::uint64_t offset = 0;
  INGOT_ASSIGN_OR_RETURN(
      Extracted extracted,
      extract(checkpoint, *target.item, &cancel_flag(), [&](Bytes bytes) -> Status {
        INGOT_RETURN_IF_ERROR(io::write_all(file.file(), offset, bytes));
        offset += bytes.size();
        return {};
      }));
  INGOT_RETURN_IF_ERROR(file.publish());
  return extracted;
}

std::string extension_of(const ExtractItem& item) {
  if (item.attachment) return "";
  return item.npy ? ".npy" : ".bin";
}

void print(const Extracted& extracted, const std::string& path, Console& console, Json& json) {
  if (console.json()) {
    Json entry{{"name", extracted.name},
               {"file", path},
               {"dtype", nullptr},
               {"shape", nullptr},
               {"bytes", extracted.bytes}};
    if (!extracted.dtype.empty()) {
      entry["dtype"] = extracted.dtype;
      entry["shape"] = extracted.shape;
    }
    json.push_back(std::move(entry));
    return;
  }
  std::string what;
  if (!extracted.dtype.empty()) what = extracted.dtype + " " + shape_text(extracted.shape) + ", ";
  console.out().print("{}: {}, {}{}\n", printable(path), extracted.name, what,
                      human_bytes(extracted.bytes));
}

Status check_usage(const ExtractCommand& command, const std::vector<ExtractItem>& items) {
  if (items.empty()) return usage_error("nothing to extract: name tensors, or --attachment");
  if (command.out == "-" && items.size() > 1) {
    return usage_error("standard output takes one tensor or attachment");
  }
  if (items.size() > 1 && !is_folder(command.out)) {
    return usage_error("several tensors or attachments need a folder that exists, not " +
                       command.out);
  }
  if ((command.npy || command.has_slice) && command.tensors.empty()) {
    return usage_error("--npy and --slice are for tensors");
  }
  return {};
}

// A longer name would not be found under what it is called, nor told from others if it were cut.
Status check_file_name(const ExtractItem& item, const std::string& file) {
  constexpr std::size_t kLongest = 255;  // NAME_MAX
  if (file.size() <= kLongest) return {};
  return make_error(Code::kInvalidArgument, "its file name would be too long for a folder")
      .tensor(item.name)
      .expected("at most " + std::to_string(kLongest) + " bytes")
      .found(file.size())
      .advice("extract it alone, to a file that -o names");
}

// What goes where. Every name is looked up before anything is written.
Result<std::vector<Target>> plan(const Checkpoint& checkpoint, const ExtractCommand& command,
                                 const std::vector<ExtractItem>& items) {
  const bool into_folder = is_folder(command.out);
  std::vector<Target> targets;
  for (const ExtractItem& item : items) {
    INGOT_ASSIGN_OR_RETURN(const Extracted extracted, describe(checkpoint, item));
    std::string path = command.out;
    if (into_folder) {
      const std::string file = file_name_of(item.name) + extension_of(item);
      INGOT_RETURN_IF_ERROR(check_file_name(item, file));
      path = io::join(command.out, file);
    }
    targets.push_back({&item, std::move(path), extracted.bytes});
  }
  return targets;
}

// Before the first is written: two of one path, what exists, and the space for all.
Status check_targets(const std::vector<Target>& targets, bool force) {
  std::map<std::string_view, const ExtractItem*> taken;
  std::uint64_t bytes = 0;
  for (const Target& target : targets) {
    const auto [other, is_new] = taken.emplace(target.path, target.item);
    if (!is_new) {
      return make_error(Code::kInvalidArgument, "both \"" + other->second->name + "\" and \"" +
                                                    target.item->name +
                                                    "\" would be written to this file")
          .file(target.path);
    }
    INGOT_RETURN_IF_ERROR(io::AtomicFile::check_name(io::posix(), target.path, {.replace = force}));
    if (!checked_add(bytes, target.bytes, &bytes)) bytes = ~std::uint64_t{0};
  }
  // What --force replaces gives space back on the way: then each file is checked in its turn.
  if (force) return {};
  return io::AtomicFile::check_space(io::posix(), targets.front().path, bytes);
}

Result<int> run(const ExtractCommand& command, Console& console) {
  const std::vector<ExtractItem> items = items_of(command);
  INGOT_RETURN_IF_ERROR(check_usage(command, items));
  INGOT_ASSIGN_OR_RETURN(const Checkpoint checkpoint, open_checkpoint(command.path));
  if (command.out == "-") {
    if (console.json()) return usage_error("--json and -o - both want standard output");
    INGOT_RETURN_IF_ERROR(to_stdout(checkpoint, items.front(), console.out()));
    return 0;
  }
  INGOT_ASSIGN_OR_RETURN(const std::vector<Target> targets, plan(checkpoint, command, items));
  INGOT_RETURN_IF_ERROR(check_targets(targets, command.force));
  Json json = Json::array();
  for (const Target& target : targets) {
    INGOT_ASSIGN_OR_RETURN(const Extracted extracted, to_file(checkpoint, target, command.force));
    print(extracted, target.path, console, json);
  }
  if (console.json()) console.out().write(to_line(Json{{"ok", true}, {"files", std::move(json)}}));
  return 0;
}

}  // namespace

Command add_extract(CLI::App& parent) {
  Command command =
      add_command(parent, "extract", "Write tensors or attachments to files", kExamples);
  auto options = std::make_shared<ExtractCommand>();
  CLI::App& app = *command.app;
  app.add_option("FILE", options->path, "An Ingot file")->required()->type_name("");
  app.add_option("NAME", options->tensors, "Tensors")->type_name("");
  app.add_option("--attachment", options->attachments, "An attachment; repeatable")
      ->type_name("NAME")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("-o,--output", options->out,
                 "A file, a folder (a file for each name), or - for\nstandard output")
      ->required()
      ->type_name("OUT");
  app.add_flag("--npy", options->npy, "NumPy's .npy instead of raw bytes");
  CLI::Option* slice =
      app.add_option("--slice", options->slice, "Part of a tensor: 0:10,:,3 (NumPy's notation)")
          ->type_name("SLICE");
  app.add_flag("--force", options->force, "Replace files that exist, atomically");
  command.run = [options, slice](Console& console) {
    options->has_slice = slice->count() > 0;
    return run(*options, console);
  };
  return command;
}

}  // namespace ingot::tools
