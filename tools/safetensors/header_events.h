// Takes a header's JSON text apart, event by event (nlohmann's SAX interface). Private to
// header.cc.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "ingot/status.h"

#include "base/error.h"
#include "tools/safetensors/header.h"
#include "tools/safetensors/text.h"

namespace ingot::safetensors {

// Collects tensors and metadata and stops at the first event that has no place in a header. It
// checks everything that one event can show; what needs all tensors is left to header.cc.
class HeaderEvents : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderEvents(std::string_view path) : path_(path) {}

  Header take_header() { return std::move(header_); }
  const Status& status() const { return status_; }  // not OK when parsing was stopped

  bool null() override;
  bool boolean(bool value) override;
  bool number_integer(number_integer_t value) override;
  bool number_unsigned(number_unsigned_t value) override;
  bool number_float(number_float_t value, const string_t& text) override;
  bool string(string_t& value) override;
  bool binary(binary_t& value) override;
  bool start_object(std::size_t elements) override;
  bool key(string_t& key) override;
  bool end_object() override;
  bool start_array(std::size_t elements) override;
  bool end_array() override;
  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::json::exception& error) override;

 private:
  enum class Where : std::uint8_t { kStart, kTop, kTensor, kShape, kOffsets, kMetadata, kEnd };
  enum Field : unsigned { kNoField = 0, kDType = 1, kShapeField = 2, kOffsetsField = 4 };

  bool top_key(string_t& key);
  bool tensor_key(const string_t& key);
  bool end_tensor();
  bool fail(const ErrorBuilder& error);
  bool reject(std::string_view what);
  bool unexpected(std::string_view what);
  std::string field_name() const;

  std::string_view path_;
  Header header_;
  Status status_;
  Where where_ = Where::kStart;
  bool expects_metadata_ = false;  // the value that comes next is that of "__metadata__"
  Field field_ = kNoField;         // whose value comes next
  unsigned fields_seen_ = 0;
  std::size_t offsets_ = 0;  // numbers seen in "data_offsets"
};

}  // namespace ingot::safetensors
