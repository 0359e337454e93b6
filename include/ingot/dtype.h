// Element types. The numbers are part of the file format and pinned for ever (docs/format.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ingot {

enum class DType : std::uint8_t {
  // 0 is no type: a zeroed field never names one.
  kBool = 1,
  kUInt8 = 2,
  kInt8 = 3,
  kUInt16 = 4,
  kInt16 = 5,
  kUInt32 = 6,
  kInt32 = 7,
  kUInt64 = 8,
  kInt64 = 9,
  kFloat16 = 10,
  kBFloat16 = 11,
  kFloat32 = 12,
  kFloat64 = 13,
  kComplex32 = 14,  // two float16
  kComplex64 = 15,
  kComplex128 = 16,
  kFloat8E4M3FN = 17,
  kFloat8E5M2 = 18,
  kFloat8E4M3FNUZ = 19,
  kFloat8E5M2FNUZ = 20,
  kFloat8E8M0FNU = 21,
  kFloat4E2M1FN = 22,  // packed, two a byte, the first in the low nibble
  kFloat6E2M3FN = 23,  // packed, little-endian bit order
  kFloat6E3M2FN = 24,
  kInt4 = 25,   // packed, two a byte, the first in the low nibble
  kUInt4 = 26,  // packed
  kQInt8 = 27,
  kQUInt8 = 28,
  kQInt32 = 29,
  kQUInt4x2 = 30,  // one byte holds two 4-bit elements; shapes count elements
  kQUInt2x4 = 31,  // one byte holds four 2-bit elements
  // PyTorch's remaining types, one byte an element unless their name says otherwise.
  kUInt1 = 32,
  kUInt2 = 33,
  kUInt3 = 34,
  kUInt5 = 35,
  kUInt6 = 36,
  kUInt7 = 37,
  kInt1 = 38,
  kInt2 = 39,
  kInt3 = 40,
  kInt5 = 41,
  kInt6 = 42,
  kInt7 = 43,
  kBits1x8 = 44,
  kBits2x4 = 45,
  kBits4x2 = 46,
  kBits8 = 47,
  kBits16 = 48,
};
inline constexpr std::uint8_t kFirstDType = 1;
inline constexpr std::uint8_t kLastDType = 48;

// Whether `number`, read from a file, names a dtype.
constexpr bool is_dtype(std::uint8_t number) {
  return number >= kFirstDType && number <= kLastDType;
}

// Size of one element in bits: 2, 4 or 6 for the packed types, a multiple of 8 for all others.
int dtype_bits(DType dtype);

// PyTorch's name where it has one ("bfloat16", "float8_e4m3fn"), never empty.
std::string_view dtype_name(DType dtype);
std::optional<DType> parse_dtype(std::string_view name);

// Whether the dtype's tensors carry a Quantization.
bool is_quantized(DType dtype);

}  // namespace ingot
