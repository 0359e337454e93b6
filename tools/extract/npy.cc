#include "tools/extract/npy.h"

#include <array>
#include <utility>

#include "base/bytes.h"
#include "base/checked.h"

namespace ingot::tools {
namespace {

constexpr std::array<std::pair<DType, std::string_view>, 14> kTypes = {{
    {DType::kBool, "|b1"},
    {DType::kUInt8, "|u1"},
    {DType::kInt8, "|i1"},
    {DType::kUInt16, "<u2"},
    {DType::kInt16, "<i2"},
    {DType::kUInt32, "<u4"},
    {DType::kInt32, "<i4"},
    {DType::kUInt64, "<u8"},
    {DType::kInt64, "<i8"},
    {DType::kFloat16, "<f2"},
    {DType::kFloat32, "<f4"},
    {DType::kFloat64, "<f8"},
    {DType::kComplex64, "<c8"},
    {DType::kComplex128, "<c16"},
}};

// As Python writes a tuple.
std::string tuple_text(std::span<const std::int64_t> shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + (shape.size() == 1 ? ",)" : ")");
}

}  // namespace

std::optional<std::string_view> npy_type(DType dtype) {
  for (const auto& [type, name] : kTypes) {
    if (type == dtype) return name;
  }
  return std::nullopt;
}

std::string npy_header(DType dtype, std::span<const std::int64_t> shape) {
  constexpr std::string_view kMagic("\x93NUMPY\x01\x00", 8);
  constexpr std::uint64_t kAlignment = 64;
  std::string text = "{'descr': '" + std::string(*npy_type(dtype)) +
                     "', 'fortran_order': False, 'shape': " + tuple_text(shape) + ", }";
  // At most 64 numbers of 20 digits: the length always fits in 16 bits.
  const std::uint64_t before = kMagic.size() + sizeof(std::uint16_t);
  const std::uint64_t total = align_up(before + text.size() + 1, kAlignment);
  text.append(static_cast<std::size_t>(total - before - text.size() - 1), ' ');
  text += '\n';
  std::string header(kMagic);
  header.append(sizeof(std::uint16_t), '\0');
  store_le(std::as_writable_bytes(std::span(header)), kMagic.size(),
           static_cast<std::uint16_t>(text.size()));
  return header + text;
}

}  // namespace ingot::tools
