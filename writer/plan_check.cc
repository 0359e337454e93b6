#include "writer/plan_check.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/error.h"
#include "format/constants.h"
#include "format/extent.h"

namespace ingot::writer {
namespace {

constexpr std::size_t kMaxMediaTypeBytes = 255;

// "[2, 3]"
std::string shape_text(const std::vector<std::int64_t>& values) {
  std::string text = "[";
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i != 0) text += ", ";
    text += std::to_string(values[i]);
  }
  return text + "]";
}

bool any_negative(const std::vector<std::int64_t>& values) {
  return std::any_of(values.begin(), values.end(), [](std::int64_t value) { return value < 0; });
}

// Names in messages are quoted as they are only when they are printable and short.
std::string_view quotable(std::string_view name) {
  if (name.empty() || name.size() > format::kMaxNameBytes || !is_printable_utf8(name)) return {};
  return name;
}

class PlanCheck {
 public:
  PlanCheck(const WritePlan& plan, std::string_view path)
      : plan_(plan), path_(path), attached_(plan.storage_bytes().size()) {
    for (const WritePlan::Attachment& attachment : plan.attachments()) {
      attached_[static_cast<std::size_t>(attachment.storage)] = true;
    }
  }

  Result<std::vector<format::NameHash>> run() const {
    if (plan_.tensors().size() > std::numeric_limits<std::uint32_t>::max() ||
        plan_.storage_bytes().size() > std::numeric_limits<std::uint32_t>::max()) {
      return make_error(Code::kInvalidArgument, "more tensors or storages than 2^32").file(path_);
    }
    for (std::size_t i = 0; i < plan_.tensors().size(); ++i) {
      INGOT_RETURN_IF_ERROR(check_name("tensor", i, plan_.tensors()[i].name));
      INGOT_RETURN_IF_ERROR(check_tensor(plan_.tensors()[i]));
    }
    std::vector<format::NameHash> names = name_table(plan_.tensors());
    INGOT_RETURN_IF_ERROR(check_unique("two tensors have the name", plan_.tensors(), names));
    for (std::size_t i = 0; i < plan_.attachments().size(); ++i) {
      const WritePlan::Attachment& attachment = plan_.attachments()[i];
      INGOT_RETURN_IF_ERROR(check_name("attachment", i, attachment.name));
      INGOT_RETURN_IF_ERROR(check_media_type(attachment));
    }
    INGOT_RETURN_IF_ERROR(check_unique("two attachments have the name", plan_.attachments(),
                                       name_table(plan_.attachments())));
    return names;
  }

 private:
  ErrorBuilder invalid(std::string_view name, std::string_view what) const {
    return make_error(Code::kInvalidArgument, what).file(path_).tensor(quotable(name));
  }

  Status check_name(std::string_view kind, std::size_t ordinal, const std::string& name) const {
    if (!name.empty() && name.size() <= format::kMaxNameBytes && is_printable_utf8(name)) return {};
    const std::string which = std::string(kind) + " " + std::to_string(ordinal);
    if (name.empty()) return invalid({}, which + " has no name");
    if (name.size() > format::kMaxNameBytes) {
      return invalid({}, which + ": its name is too long")
          .expected("at most " + std::to_string(format::kMaxNameBytes) + " bytes")
          .found(name.size());
    }
    return invalid({}, which + ": its name is not UTF-8 without control characters");
  }

  Status check_media_type(const WritePlan::Attachment& attachment) const {
    const std::string& type = attachment.media_type;
    const bool visible =
        std::all_of(type.begin(), type.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
    if (visible && !type.empty() && type.size() <= kMaxMediaTypeBytes) return {};
    return invalid(attachment.name,
                   "attachment: its media type is not 1 to 255 printable ASCII characters");
  }

  template <typename Named>
  static std::vector<format::NameHash> name_table(const std::vector<Named>& all) {
    return format::make_name_table(all.size(),
                                   [&](std::size_t i) -> std::string_view { return all[i].name; });
  }

  template <typename Named>
  Status check_unique(std::string_view what, const std::vector<Named>& all,
                      const std::vector<format::NameHash>& names) const {
    for (std::size_t i = 1; i < names.size(); ++i) {
      if (names[i - 1].hash != names[i].hash) continue;
      const std::string& name = all[names[i].tensor].name;
      if (name == all[names[i - 1].tensor].name) return invalid(name, what);
    }
    return {};
  }

  Status check_tensor(const TensorSpec& spec) const {
    if (!is_dtype(static_cast<std::uint8_t>(spec.dtype))) {
      return invalid(spec.name, "no such dtype").found(static_cast<std::uint8_t>(spec.dtype));
    }
    if (spec.role < Role::kParameter || spec.role > Role::kOther) {
      return invalid(spec.name, "no such role").found(static_cast<std::uint8_t>(spec.role));
    }
    INGOT_RETURN_IF_ERROR(check_shape(spec));
    INGOT_RETURN_IF_ERROR(check_place(spec));
    return check_quantization(spec);
  }

  Status check_shape(const TensorSpec& spec) const {
    if (spec.shape.size() > format::kMaxRank) {
      return invalid(spec.name, "rank").expected("at most 64").found(spec.shape.size());
    }
    if (any_negative(spec.shape)) {
      return invalid(spec.name, "negative dimension in shape").found(shape_text(spec.shape));
    }
    if (spec.strides.empty()) return {};
    if (spec.strides.size() != spec.shape.size()) {
      return invalid(spec.name, "number of strides")
          .expected(spec.shape.size())
          .found(spec.strides.size());
    }
    if (any_negative(spec.strides)) {
      return invalid(spec.name, "negative stride").found(shape_text(spec.strides));
    }
    if (dtype_bits(spec.dtype) % 8 != 0 && !format::is_row_major(spec.shape, spec.strides)) {
      return invalid(spec.name, "a packed dtype must be row-major").found(shape_text(spec.strides));
    }
    return {};
  }

  Status check_storage(const TensorSpec& spec, std::string_view what, StorageId storage) const {
    const auto number = static_cast<std::size_t>(storage);
    if (number >= plan_.storage_bytes().size()) {
      return invalid(spec.name, std::string(what) + ": no such storage in this plan").found(number);
    }
    if (!attached_[number]) return {};
    return invalid(spec.name, std::string(what) + ": it is an attachment's").found(number);
  }

  // The bytes that the elements use lie within the storage.
  Status check_place(const TensorSpec& spec) const {
    INGOT_RETURN_IF_ERROR(check_storage(spec, "storage", *spec.storage));
    const auto element_bits = static_cast<std::uint64_t>(dtype_bits(spec.dtype));
    if (element_bits % 8 == 0 && spec.byte_offset % (element_bits / 8) != 0) {
      return invalid(spec.name, "byte_offset")
          .expected("a multiple of " + std::to_string(element_bits / 8))
          .found(spec.byte_offset);
    }
    const bool row_major = format::is_row_major(spec.shape, spec.strides);
    const auto extent = format::tensor_extent(
        spec.dtype, spec.shape,
        row_major ? std::span<const std::int64_t>() : std::span(spec.strides));
    if (!extent) {
      return invalid(spec.name, dtype_bits(spec.dtype) % 8 != 0
                                    ? "elements do not fill whole bytes, or their size overflows"
                                    : "its size overflows")
          .found(shape_text(spec.shape));
    }
    const std::uint64_t bytes = plan_.storage_bytes()[static_cast<std::size_t>(*spec.storage)];
    if (!range_in(spec.byte_offset, extent->bytes, bytes)) {
      return invalid(spec.name, "it does not lie within its storage")
          .expected("at most " + std::to_string(bytes) + " bytes")
          .found(std::to_string(extent->bytes) + " at " + std::to_string(spec.byte_offset));
    }
    return {};
  }

  Status check_quantization(const TensorSpec& spec) const {
    if (is_quantized(spec.dtype) != spec.quantization.has_value()) {
      return invalid(spec.name, spec.quantization ? "quantisation of a dtype that has none"
                                                  : "quantised dtype without quantisation")
          .found(dtype_name(spec.dtype));
    }
    if (!spec.quantization) return {};
    const QuantizationSpec& q = *spec.quantization;
    switch (q.scheme) {
      case QuantizationScheme::kPerTensorAffine:
        if (q.scales || q.zero_points || q.axis != 0) {
          return invalid(spec.name, "per-tensor quantisation has no axis, scales or zero points");
        }
        return {};
      case QuantizationScheme::kPerChannelAffine:
        return check_channels(spec, q, sizeof(double));
      case QuantizationScheme::kPerChannelAffineFloatQParams:
        return check_channels(spec, q, sizeof(float));
    }
    return invalid(spec.name, "no such quantisation scheme")
        .found(static_cast<std::uint8_t>(q.scheme));
  }

  Status check_channels(const TensorSpec& spec, const QuantizationSpec& q,
                        std::uint64_t element_bytes) const {
    // Fields that the scheme does not use have one value only, so that equal content is equal.
    if (std::bit_cast<std::uint64_t>(q.scale) != std::bit_cast<std::uint64_t>(1.0) ||
        q.zero_point != 0) {
      return invalid(spec.name, "per-channel quantisation has no scale or zero point of its own");
    }
    if (q.axis < 0 || static_cast<std::size_t>(q.axis) >= spec.shape.size()) {
      return invalid(spec.name, "quantisation axis")
          .expected("0 to below " + std::to_string(spec.shape.size()))
          .found(std::to_string(q.axis));
    }
    const auto channels = static_cast<std::uint64_t>(spec.shape[static_cast<std::size_t>(q.axis)]);
    INGOT_RETURN_IF_ERROR(check_channel_storage(spec, "scales", q.scales, channels, element_bytes));
    return check_channel_storage(spec, "zero points", q.zero_points, channels, element_bytes);
  }

  Status check_channel_storage(const TensorSpec& spec, std::string_view what,
                               const std::optional<StorageId>& storage, std::uint64_t channels,
                               std::uint64_t element_bytes) const {
    const std::string where = "storage of the " + std::string(what);
    if (!storage) return invalid(spec.name, where + " is missing");
    INGOT_RETURN_IF_ERROR(check_storage(spec, where, *storage));
    const std::uint64_t found = plan_.storage_bytes()[static_cast<std::size_t>(*storage)];
    std::uint64_t expected = 0;
    if (checked_mul(channels, element_bytes, &expected) && found == expected) return {};
    return invalid(spec.name, where + ": its size").expected(expected).found(found);
  }

  const WritePlan& plan_;
  std::string_view path_;
  std::vector<bool> attached_;  // by StorageId
};

bool is_power_between(std::uint64_t value, std::uint32_t low_log2, std::uint32_t high_log2) {
  return is_power_of_two(value) && value >= std::uint64_t{1} << low_log2 &&
         value <= std::uint64_t{1} << high_log2;
}

}  // namespace

Result<std::vector<format::NameHash>> check_plan(const WritePlan& plan, std::string_view path) {
  return PlanCheck(plan, path).run();
}

Status check_options(const WriterOptions& options, std::string_view path) {
  auto invalid = [&](std::string_view what) {
    return make_error(Code::kInvalidArgument, what).file(path);
  };
  if (!is_power_between(options.chunk_bytes, format::kMinChunkLog2, format::kMaxChunkLog2)) {
    return invalid("WriterOptions::chunk_bytes")
        .expected("a power of two from 64 KiB to 1 GiB")
        .found(options.chunk_bytes);
  }
  if (!is_power_between(options.alignment, format::kMinAlignmentLog2, format::kMaxAlignmentLog2)) {
    return invalid("WriterOptions::alignment")
        .expected("a power of two from 4 KiB to 2 MiB")
        .found(options.alignment);
  }
  if (options.threads < 0 || options.threads > kMaxThreads) {
    return invalid("WriterOptions::threads")
        .expected("0 to " + std::to_string(kMaxThreads))
        .found(std::to_string(options.threads));
  }
  if (options.staging_bytes < kMinStagingBytes) {
    return invalid("WriterOptions::staging_bytes")
        .expected("at least " + std::to_string(kMinStagingBytes))
        .found(options.staging_bytes);
  }
  return {};
}

}  // namespace ingot::writer
