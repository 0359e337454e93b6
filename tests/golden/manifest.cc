#include "tests/golden/manifest.h"

#include <fstream>
#include <nlohmann/json.hpp>

namespace ingot::golden {

namespace {

using Json = nlohmann::ordered_json;

Json to_json(const ManifestEntry& entry) {
  Json json;
  json["file"] = entry.file;
  json["outcome"] = entry.valid ? "valid" : "invalid";
  json["code"] = entry.code;
  json["exit"] = entry.exit;
  json["rule"] = entry.rule.empty() ? Json(nullptr) : Json(entry.rule);
  json["why"] = entry.why;
  return json;
}

}  // namespace

std::string format_manifest(const std::vector<ManifestEntry>& entries) {
  std::string text = "[\n";
  for (const ManifestEntry& entry : entries) {
    text += "  " + to_json(entry).dump() + (&entry == &entries.back() ? "\n" : ",\n");
  }
  return text + "]\n";
}

std::vector<ManifestEntry> read_manifest(const std::string& path) {
  std::ifstream stream(path);
  const Json json = Json::parse(stream, nullptr, false);
  std::vector<ManifestEntry> entries;
  if (!json.is_array()) return entries;
  for (const Json& item : json) {
    entries.push_back({.file = item.at("file"),
                       .valid = item.at("outcome") == "valid",
                       .code = item.at("code"),
                       .exit = item.at("exit"),
                       .rule = item.at("rule").is_null() ? "" : item.at("rule"),
                       .why = item.at("why")});
  }
  return entries;
}

}  // namespace ingot::golden
