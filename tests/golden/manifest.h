// manifest.json: what each golden file is and what a reader must say of it.
#pragma once

#include <string>
#include <vector>

namespace ingot::golden {

struct ManifestEntry {
  std::string file;  // "invalid/header_major_2.ingot", from the manifest's folder
  bool valid = false;
  std::string code;  // code_name(); "ok" for valid files
  int exit = 0;      // of `ingot verify`
  std::string rule;  // "F-03"; empty: null in the file
  std::string why;
};

// One entry a line, so that an addition is a line of a diff.
std::string format_manifest(const std::vector<ManifestEntry>& entries);

// Entries of the file at `path`; none when it cannot be read.
std::vector<ManifestEntry> read_manifest(const std::string& path);

}  // namespace ingot::golden
