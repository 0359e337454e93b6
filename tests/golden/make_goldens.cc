// Writes the golden files that are not there yet:
//
//   make_goldens FOLDER [--only SUBSTRING]
//
// Goldens are added to, never regenerated: what the folder's manifest lists stays as it is, and a
// file that exists without being listed is an error.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/golden/crafted_goldens.h"
#include "tests/golden/draft.h"
#include "tests/golden/invalid_goldens.h"
#include "tests/golden/manifest.h"
#include "tests/golden/valid_goldens.h"

namespace {

using ingot::Code;
using ingot::golden::FileBytes;
using ingot::golden::ManifestEntry;

struct Golden {
  ManifestEntry entry;
  std::function<FileBytes()> make;
};

ManifestEntry entry_of(std::string file, bool valid, Code code, std::string rule, std::string why) {
  return {.file = std::move(file),
          .valid = valid,
          .code = std::string(code_name(code)),
          .exit = exit_code(code),
          .rule = std::move(rule),
          .why = std::move(why)};
}

std::vector<Golden> all_goldens() {
  std::vector<Golden> all;
  for (const auto& valid : ingot::golden::valid_goldens()) {
    all.push_back({entry_of("valid/" + valid.name + ".ingot", true, Code::kOk, "", valid.why),
                   [name = valid.name] { return ingot::golden::valid_file(name); }});
  }
  for (const auto& crafted : ingot::golden::crafted_goldens()) {
    all.push_back({entry_of("valid/" + crafted.name + ".ingot", true, Code::kOk, "", crafted.why),
                   crafted.make});
  }
  for (const auto& invalid : ingot::golden::invalid_goldens()) {
    all.push_back({entry_of("invalid/" + invalid.name + ".ingot", false, invalid.code, invalid.rule,
                            invalid.why),
                   invalid.make});
  }
  return all;
}

bool write_new(const std::filesystem::path& path, std::string_view bytes) {
  if (std::filesystem::exists(path)) {
    std::fprintf(stderr, "%s exists and is not in the manifest\n", path.c_str());
    return false;
  }
  std::filesystem::create_directories(path.parent_path());
  std::ofstream stream(path, std::ios::binary);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return stream.good();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_goldens FOLDER\n");
    return 64;
  }
  const std::filesystem::path folder = argv[1];
  const std::string manifest = folder / "manifest.json";
  std::vector<ManifestEntry> entries = ingot::golden::read_manifest(manifest);
  std::size_t added = 0;
  for (const Golden& golden : all_goldens()) {
    const auto listed = [&](const ManifestEntry& entry) { return entry.file == golden.entry.file; };
    if (std::any_of(entries.begin(), entries.end(), listed)) continue;
    const FileBytes bytes = golden.make();
    if (!write_new(folder / golden.entry.file, ingot::as_text(bytes))) return 4;
    entries.push_back(golden.entry);
    ++added;
  }
  std::ofstream(manifest) << ingot::golden::format_manifest(entries);
  std::printf("%zu goldens, %zu of them new\n", entries.size(), added);
  return 0;
}
