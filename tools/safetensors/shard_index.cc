#include "tools/safetensors/shard_index.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>

#include "base/error.h"
#include "io/transfer.h"
#include "tools/safetensors/text.h"

namespace ingot::safetensors {
namespace {

using nlohmann::json;

// Parses, noting keys that appear twice (the parser would keep the last) and too deep nesting.
class Parser {
 public:
  json parse(std::string_view text) {
    return json::parse(
        text.begin(), text.end(),
        [this](int depth, json::parse_event_t event, json& parsed) {
          return take(depth, event, parsed);
        },
        /*allow_exceptions=*/false);
  }
  const std::string& duplicate() const { return duplicate_; }
  bool too_deep() const { return too_deep_; }

 private:
  static constexpr int kMaxDepth = 32;

  bool take(int depth, json::parse_event_t event, const json& parsed) {
    if (depth > kMaxDepth) too_deep_ = true;
    if (event == json::parse_event_t::object_start) keys_.emplace_back();
    if (event == json::parse_event_t::object_end) keys_.pop_back();
    if (event == json::parse_event_t::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!keys_.back().insert(key).second) duplicate_ = in_quotes(key);
    }
    return !too_deep_;  // what is refused is left out of the result, not kept
  }

  std::vector<std::set<std::string>> keys_;  // of the objects that are open
  std::string duplicate_;
  bool too_deep_ = false;
};

bool is_name_character(char c, bool first) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || (c == '.' && !first);
}

Status check_entry(const std::string& tensor, const json& shard, std::string_view path) {
  const auto error = [&](const std::string& what) {
    return make_error(Code::kRejected, what).file(path).tensor(tensor);
  };
  if (!shard.is_string()) return error("\"weight_map\" holds something other than a string");
  const auto& name = shard.get_ref<const std::string&>();
  if (!is_plain_name(name)) return error("shard " + in_quotes(name) + " is not a plain file name");
  return {};
}

}  // namespace

bool is_plain_name(std::string_view name) {
  constexpr std::size_t kLongest = 255;
  if (name.empty() || name.size() > kLongest) return false;
  return is_name_character(name.front(), true) &&
         std::all_of(name.begin() + 1, name.end(),
                     [](char c) { return is_name_character(c, false); });
}

Result<ShardIndex> parse_shard_index(std::string_view text, std::string_view path) {
  Parser parser;
  // A zero byte would end the text for the parser.
  const bool has_zero = text.find('\0') != std::string_view::npos;
  json root = has_zero ? json(json::value_t::discarded) : parser.parse(text);
  if (parser.too_deep()) return make_error(Code::kRejected, "nested too deeply").file(path);
  if (root.is_discarded()) {
    return make_error(Code::kCorrupt, "the shard index is not valid JSON").file(path);
  }
  if (!parser.duplicate().empty()) {
    return make_error(Code::kRejected, "key " + parser.duplicate() + " appears twice").file(path);
  }
  if (!root.is_object() || !root.contains("weight_map") || !root["weight_map"].is_object()) {
    return make_error(Code::kRejected, "the shard index has no \"weight_map\"").file(path);
  }
  ShardIndex index;
  if (root.contains("metadata")) {
    if (!root["metadata"].is_object()) {
      return make_error(Code::kRejected, "\"metadata\" is not an object").file(path);
    }
    index.metadata = std::move(root["metadata"]);
  }
  for (const auto& [tensor, shard] : root["weight_map"].items()) {
    INGOT_RETURN_IF_ERROR(check_entry(tensor, shard, path));
    index.weight_map.emplace_back(tensor, shard.get<std::string>());
  }
  return index;
}

Result<ShardIndex> read_shard_index(io::File& file, std::string_view path) {
  INGOT_ASSIGN_OR_RETURN(const io::FileStat stat, file.stat());
  if (stat.bytes > kMaxShardIndexBytes) {
    return make_error(Code::kRejected, "the shard index is over the limit")
        .file(path)
        .expected("at most " + human_bytes(kMaxShardIndexBytes))
        .found(human_bytes(stat.bytes));
  }
  std::string text(static_cast<std::size_t>(stat.bytes), '\0');
  INGOT_RETURN_IF_ERROR(io::read_exact(file, 0, std::as_writable_bytes(std::span(text))));
  return parse_shard_index(text, path);
}

std::string encode_shard_index(const ShardIndex& index, std::uint64_t total_bytes) {
  json root = {{"metadata", index.metadata}, {"weight_map", json::object()}};
  root["metadata"]["total_size"] = total_bytes;
  for (const auto& [tensor, shard] : index.weight_map) root["weight_map"][tensor] = shard;
  return root.dump(2, ' ', true, json::error_handler_t::replace) + "\n";
}

std::string shard_name(std::string_view stem, std::size_t number, std::size_t count) {
  std::array<char, 64> digits{};
  std::snprintf(digits.data(), digits.size(), "-%05zu-of-%05zu.safetensors", number, count);
  return std::string(stem) + digits.data();
}

bool is_shard_name(std::string_view stem, std::string_view name) {
  const std::string pattern = shard_name(stem, 0, 0);
  const auto fits = [](char c, char like) {
    return like == '0' ? c >= '0' && c <= '9' : c == like;
  };
  return name.starts_with(stem) &&
         std::equal(name.begin(), name.end(), pattern.begin(), pattern.end(), fits);
}

}  // namespace ingot::safetensors
