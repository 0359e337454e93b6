#include "tools/safetensors/header_events.h"

#include <limits>

#include "format/constants.h"
#include "tools/safetensors/types.h"

namespace ingot::safetensors {

bool HeaderEvents::fail(const ErrorBuilder& error) {
  if (status_.ok()) status_ = error;
  return false;
}

bool HeaderEvents::reject(std::string_view what) {
  ErrorBuilder error = make_error(Code::kRejected, what);
  error.file(path_).at(Region::kHeader);
  if (where_ == Where::kTensor || where_ == Where::kShape || where_ == Where::kOffsets) {
    error.tensor(header_.tensors.back().name);
  }
  return fail(error);
}

std::string HeaderEvents::field_name() const {
  switch (field_) {
    case kDType:
      return "\"dtype\"";
    case kShapeField:
      return "\"shape\"";
    case kOffsetsField:
      return "\"data_offsets\"";
    case kNoField:
      break;
  }
  return "";
}

bool HeaderEvents::unexpected(std::string_view what) {
  std::string text(what);
  switch (where_) {
    case Where::kStart:
    case Where::kEnd:
      return reject("header is " + text + ", not an object");
    case Where::kTop:
      return reject(expects_metadata_ ? "\"__metadata__\" is " + text + ", not an object"
                                      : "a tensor is described by " + text + ", not an object");
    case Where::kTensor:
    case Where::kShape:
    case Where::kOffsets:
      return reject(text + " in " + field_name());
    case Where::kMetadata:
      return reject("\"__metadata__\" holds " + text + "; its values are strings");
  }
  return reject(text);
}

bool HeaderEvents::null() { return unexpected("null"); }
bool HeaderEvents::boolean(bool) { return unexpected("a boolean"); }
bool HeaderEvents::number_integer(number_integer_t) { return unexpected("a negative number"); }
bool HeaderEvents::binary(binary_t&) { return unexpected("binary data"); }
bool HeaderEvents::number_float(number_float_t, const string_t&) {
  return unexpected("a number that is no 64-bit integer");
}

bool HeaderEvents::number_unsigned(number_unsigned_t value) {
  if (where_ == Where::kShape) {
    Tensor& tensor = header_.tensors.back();
    if (tensor.shape.size() == format::kMaxRank) {
      return fail(make_error(Code::kUnsupported, "rank is over Ingot's limit")
                      .file(path_)
                      .at(Region::kHeader)
                      .tensor(tensor.name)
                      .expected("at most " + std::to_string(format::kMaxRank)));
    }
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return reject("an extent of the shape overflows");
    }
    tensor.shape.push_back(static_cast<std::int64_t>(value));
    return true;
  }
  if (where_ == Where::kOffsets) {
    Tensor& tensor = header_.tensors.back();
    if (offsets_ == 2) return reject("\"data_offsets\" has more than two numbers");
    (offsets_ == 0 ? tensor.begin : tensor.end) = value;
    ++offsets_;
    return true;
  }
  return unexpected("a number");
}

bool HeaderEvents::string(string_t& value) {
  if (where_ == Where::kMetadata) {
    header_.metadata->back().second = std::move(value);
    return true;
  }
  if (where_ != Where::kTensor || field_ != kDType) return unexpected("a string");
  Tensor& tensor = header_.tensors.back();
  const std::optional<DType> dtype = parse_type(value);
  if (!dtype) {
    return fail(make_error(Code::kUnsupported, "unknown dtype " + in_quotes(value))
                    .file(path_)
                    .at(Region::kHeader)
                    .tensor(tensor.name));
  }
  tensor.dtype = *dtype;
  return true;
}

bool HeaderEvents::start_object(std::size_t) {
  if (where_ == Where::kStart) {
    where_ = Where::kTop;
    return true;
  }
  if (where_ != Where::kTop) return unexpected("an object");
  if (expects_metadata_) {
    where_ = Where::kMetadata;
    header_.metadata.emplace();
    return true;
  }
  where_ = Where::kTensor;
  fields_seen_ = 0;
  offsets_ = 0;
  return true;
}

bool HeaderEvents::key(string_t& key) {
  if (where_ == Where::kTop) return top_key(key);
  if (where_ == Where::kTensor) return tensor_key(key);
  header_.metadata->emplace_back(std::move(key), std::string());
  return true;
}

bool HeaderEvents::top_key(string_t& key) {
  expects_metadata_ = key == kMetadataKey;
  if (expects_metadata_) {
    return !header_.metadata || reject("\"__metadata__\" appears twice");
  }
  if (key.empty() || key.size() > format::kMaxNameBytes || !is_printable_utf8(key)) {
    return fail(make_error(Code::kUnsupported,
                           "tensor name " + in_quotes(key) + " is not one that Ingot can hold")
                    .file(path_)
                    .at(Region::kHeader)
                    .expected("1 to 1024 bytes of UTF-8 without control characters"));
  }
  header_.tensors.emplace_back().name = std::move(key);
  return true;
}

bool HeaderEvents::tensor_key(const string_t& key) {
  field_ = key == "dtype"          ? kDType
           : key == "shape"        ? kShapeField
           : key == "data_offsets" ? kOffsetsField
                                   : kNoField;
  if (field_ == kNoField) {
    return reject("key " + in_quotes(key) +
                  "; a tensor has \"dtype\", \"shape\" and \"data_offsets\"");
  }
  if ((fields_seen_ & field_) != 0) return reject(field_name() + " appears twice");
  fields_seen_ |= field_;
  return true;
}

bool HeaderEvents::end_object() {
  if (where_ == Where::kTensor) return end_tensor();
  where_ = where_ == Where::kTop ? Where::kEnd : Where::kTop;
  return true;
}

bool HeaderEvents::end_tensor() {
  for (const Field field : {kDType, kShapeField, kOffsetsField}) {
    if ((fields_seen_ & field) != 0) continue;
    field_ = field;
    return reject("no " + field_name());
  }
  where_ = Where::kTop;
  return true;
}

bool HeaderEvents::start_array(std::size_t) {
  if (where_ != Where::kTensor || field_ == kDType) return unexpected("an array");
  where_ = field_ == kShapeField ? Where::kShape : Where::kOffsets;
  return true;
}

bool HeaderEvents::end_array() {
  if (where_ == Where::kOffsets && offsets_ != 2) {
    return reject("\"data_offsets\" has fewer than two numbers");
  }
  where_ = Where::kTensor;
  return true;
}

bool HeaderEvents::parse_error(std::size_t position, const std::string&,
                               const nlohmann::json::exception&) {
  return fail(
      make_error(Code::kCorrupt, "header is not valid JSON at its byte " + std::to_string(position))
          .file(path_)
          .at(Region::kHeader));
}

}  // namespace ingot::safetensors
