#include "ingot/dtype.h"

#include <array>
#include <cstddef>

#include "ingot/tensor.h"

namespace ingot {
namespace {

struct Entry {
  DType dtype;
  std::string_view name;
  int bits;
};

// docs/format.md, "Element types"; a test compares the two. In order of the numbers.
constexpr std::array<Entry, kLastDType> kEntries = {{
    {DType::kBool, "bool", 8},
    {DType::kUInt8, "uint8", 8},
    {DType::kInt8, "int8", 8},
    {DType::kUInt16, "uint16", 16},
    {DType::kInt16, "int16", 16},
    {DType::kUInt32, "uint32", 32},
    {DType::kInt32, "int32", 32},
    {DType::kUInt64, "uint64", 64},
    {DType::kInt64, "int64", 64},
    {DType::kFloat16, "float16", 16},
    {DType::kBFloat16, "bfloat16", 16},
    {DType::kFloat32, "float32", 32},
    {DType::kFloat64, "float64", 64},
    {DType::kComplex32, "complex32", 32},
    {DType::kComplex64, "complex64", 64},
    {DType::kComplex128, "complex128", 128},
    {DType::kFloat8E4M3FN, "float8_e4m3fn", 8},
    {DType::kFloat8E5M2, "float8_e5m2", 8},
    {DType::kFloat8E4M3FNUZ, "float8_e4m3fnuz", 8},
    {DType::kFloat8E5M2FNUZ, "float8_e5m2fnuz", 8},
    {DType::kFloat8E8M0FNU, "float8_e8m0fnu", 8},
    {DType::kFloat4E2M1FN, "float4_e2m1fn", 4},
    {DType::kFloat6E2M3FN, "float6_e2m3fn", 6},
    {DType::kFloat6E3M2FN, "float6_e3m2fn", 6},
    {DType::kInt4, "int4", 4},
    {DType::kUInt4, "uint4", 4},
    {DType::kQInt8, "qint8", 8},
    {DType::kQUInt8, "quint8", 8},
    {DType::kQInt32, "qint32", 32},
    {DType::kQUInt4x2, "quint4x2", 4},
    {DType::kQUInt2x4, "quint2x4", 2},
    {DType::kUInt1, "uint1", 8},
    {DType::kUInt2, "uint2", 8},
    {DType::kUInt3, "uint3", 8},
    {DType::kUInt5, "uint5", 8},
    {DType::kUInt6, "uint6", 8},
    {DType::kUInt7, "uint7", 8},
    {DType::kInt1, "int1", 8},
    {DType::kInt2, "int2", 8},
    {DType::kInt3, "int3", 8},
    {DType::kInt5, "int5", 8},
    {DType::kInt6, "int6", 8},
    {DType::kInt7, "int7", 8},
    {DType::kBits1x8, "bits1x8", 8},
    {DType::kBits2x4, "bits2x4", 8},
    {DType::kBits4x2, "bits4x2", 8},
    {DType::kBits8, "bits8", 8},
    {DType::kBits16, "bits16", 16},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kEntries.size(); ++i) {
    if (static_cast<std::size_t>(kEntries[i].dtype) != i + kFirstDType) return false;
  }
  return true;
}
static_assert(in_order());

// Widths by number: a table without strings for the loops of the validator.
constexpr auto kBits = [] {
  std::array<std::uint8_t, 256> bits{};
  for (const Entry& entry : kEntries) {
    bits[static_cast<std::uint8_t>(entry.dtype)] = static_cast<std::uint8_t>(entry.bits);
  }
  return bits;
}();

const Entry* entry_of(DType dtype) {
  const auto number = static_cast<std::uint8_t>(dtype);
  return is_dtype(number) ? &kEntries[number - kFirstDType] : nullptr;
}

}  // namespace

int dtype_bits(DType dtype) { return kBits[static_cast<std::uint8_t>(dtype)]; }

std::string_view dtype_name(DType dtype) {
  const Entry* entry = entry_of(dtype);
  return entry != nullptr ? entry->name : "unknown";
}

std::optional<DType> parse_dtype(std::string_view name) {
  for (const Entry& entry : kEntries) {
    if (entry.name == name) return entry.dtype;
  }
  return std::nullopt;
}

bool is_quantized(DType dtype) { return dtype >= DType::kQInt8 && dtype <= DType::kQUInt2x4; }

std::string_view role_name(Role role) {
  switch (role) {
    case Role::kParameter:
      return "parameter";
    case Role::kBuffer:
      return "buffer";
    case Role::kOptimizerState:
      return "optimizer state";
    case Role::kOther:
      return "other";
  }
  return "unknown";
}

}  // namespace ingot
