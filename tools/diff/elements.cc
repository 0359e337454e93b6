#include "tools/diff/elements.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <initializer_list>
#include <limits>

namespace ingot::tools {
namespace {

// How a small float says infinity and NaN.
enum class Specials : std::uint8_t {
  kIeee,  // the largest exponent
  kFn,    // no infinity; NaN is all ones
  kFnuz,  // no infinity, no negative zero; NaN is what would be that
  kNone,
};

struct SmallFloat {
  int exponent_bits;
  int mantissa_bits;
  int bias;
  Specials specials;

  constexpr int bits() const { return 1 + exponent_bits + mantissa_bits; }
};

constexpr SmallFloat kHalf{5, 10, 15, Specials::kIeee};
constexpr SmallFloat kE4M3FN{4, 3, 7, Specials::kFn};
constexpr SmallFloat kE5M2{5, 2, 15, Specials::kIeee};
constexpr SmallFloat kE4M3FNUZ{4, 3, 8, Specials::kFnuz};
constexpr SmallFloat kE5M2FNUZ{5, 2, 16, Specials::kFnuz};
constexpr SmallFloat kE2M1{2, 1, 1, Specials::kNone};
constexpr SmallFloat kE2M3{2, 3, 1, Specials::kNone};
constexpr SmallFloat kE3M2{3, 2, 3, Specials::kNone};

constexpr Number kNan = std::numeric_limits<Number>::quiet_NaN();
constexpr Number kInfinity = std::numeric_limits<Number>::infinity();

Number small_float(const SmallFloat& type, unsigned code) {
  const unsigned mantissa_mask = (1u << type.mantissa_bits) - 1;
  const unsigned exponent_mask = (1u << type.exponent_bits) - 1;
  const unsigned mantissa = code & mantissa_mask;
  const unsigned exponent = (code >> type.mantissa_bits) & exponent_mask;
  const bool negative = ((code >> (type.bits() - 1)) & 1) != 0;
  if (type.specials == Specials::kIeee && exponent == exponent_mask) {
    if (mantissa != 0) return kNan;
    return negative ? -kInfinity : kInfinity;
  }
  if (type.specials == Specials::kFn && exponent == exponent_mask && mantissa == mantissa_mask) {
    return kNan;
  }
  if (type.specials == Specials::kFnuz && negative && exponent == 0 && mantissa == 0) return kNan;
  const unsigned significand = exponent == 0 ? mantissa : mantissa | (1u << type.mantissa_bits);
  const int scale =
      (exponent == 0 ? 1 : static_cast<int>(exponent)) - type.bias - type.mantissa_bits;
  const Number magnitude = std::ldexp(static_cast<Number>(significand), scale);
  return negative ? -magnitude : magnitude;
}

// An unsigned power of two.
Number e8m0(unsigned code) {
  return code == 0xFF ? kNan : std::ldexp(Number{1}, static_cast<int>(code) - 127);
}

template <typename T>
T load(Bytes run, std::uint64_t i) {
  return load_le<T>(run, static_cast<std::size_t>(i) * sizeof(T));
}

// Element i of `bits` < 8 bits: little-endian bit order, the first in the lowest bits.
unsigned packed(Bytes run, std::uint64_t i, int bits) {
  const std::uint64_t bit = i * static_cast<unsigned>(bits);
  const auto byte = static_cast<std::size_t>(bit / 8);
  unsigned window = std::to_integer<unsigned>(run[byte]);
  if (byte + 1 < run.size()) window |= std::to_integer<unsigned>(run[byte + 1]) << 8;
  return (window >> (bit % 8)) & ((1u << bits) - 1);
}

template <typename Element>
void fill(std::uint64_t first, std::span<Number> numbers, Element element) {
  for (std::size_t k = 0; k < numbers.size(); ++k) numbers[k] = element(first + k);
}

template <typename T>
void plain(Bytes run, std::uint64_t first, std::span<Number> numbers) {
  fill(first, numbers, [&](std::uint64_t i) { return static_cast<Number>(load<T>(run, i)); });
}

void small(const SmallFloat& type, Bytes run, std::uint64_t first, std::span<Number> numbers) {
  fill(first, numbers, [&](std::uint64_t i) {
    if (type.bits() == 16) return small_float(type, load<std::uint16_t>(run, i));
    if (type.bits() == 8) return small_float(type, load<std::uint8_t>(run, i));
    return small_float(type, packed(run, i, type.bits()));
  });
}

void bfloat16(Bytes run, std::uint64_t first, std::span<Number> numbers) {
  fill(first, numbers, [&](std::uint64_t i) {
    const std::uint32_t bits = std::uint32_t{load<std::uint16_t>(run, i)} << 16;
    return static_cast<Number>(std::bit_cast<float>(bits));
  });
}

void small_unsigned(int bits, Bytes run, std::uint64_t first, std::span<Number> numbers) {
  fill(first, numbers, [&](std::uint64_t i) { return static_cast<Number>(packed(run, i, bits)); });
}

void int4(Bytes run, std::uint64_t first, std::span<Number> numbers) {
  fill(first, numbers, [&](std::uint64_t i) {
    const int value = static_cast<int>(packed(run, i, 4));
    return static_cast<Number>(value < 8 ? value : value - 16);
  });
}

}  // namespace

int components(DType dtype) {
  using enum DType;
  const auto is_one_of = [dtype](std::initializer_list<DType> types) {
    return std::find(types.begin(), types.end(), dtype) != types.end();
  };
  if (is_one_of({kComplex32, kComplex64, kComplex128})) return 2;
  return is_one_of({kBits1x8, kBits2x4, kBits4x2, kBits8, kBits16}) ? 0 : 1;
}

void decode(DType dtype, Bytes run, std::uint64_t first, std::span<Number> numbers) {
  switch (dtype) {
    case DType::kBool:
    case DType::kUInt8:
    case DType::kQUInt8:
    case DType::kUInt1:
    case DType::kUInt2:
    case DType::kUInt3:
    case DType::kUInt5:
    case DType::kUInt6:
    case DType::kUInt7:
      return plain<std::uint8_t>(run, first, numbers);
    case DType::kInt8:
    case DType::kQInt8:
    case DType::kInt1:
    case DType::kInt2:
    case DType::kInt3:
    case DType::kInt5:
    case DType::kInt6:
    case DType::kInt7:
      return plain<std::int8_t>(run, first, numbers);
    case DType::kUInt16:
      return plain<std::uint16_t>(run, first, numbers);
    case DType::kInt16:
      return plain<std::int16_t>(run, first, numbers);
    case DType::kUInt32:
      return plain<std::uint32_t>(run, first, numbers);
    case DType::kInt32:
    case DType::kQInt32:
      return plain<std::int32_t>(run, first, numbers);
    case DType::kUInt64:
      return plain<std::uint64_t>(run, first, numbers);
    case DType::kInt64:
      return plain<std::int64_t>(run, first, numbers);
    case DType::kFloat16:
      return small(kHalf, run, first, numbers);
    case DType::kBFloat16:
      return bfloat16(run, first, numbers);
    case DType::kFloat32:
      return plain<float>(run, first, numbers);
    case DType::kFloat64:
      return plain<double>(run, first, numbers);
    case DType::kComplex32:  // as twice as many of half the size
      return small(kHalf, run, 2 * first, numbers);
    case DType::kComplex64:
      return plain<float>(run, 2 * first, numbers);
    case DType::kComplex128:
      return plain<double>(run, 2 * first, numbers);
    case DType::kFloat8E4M3FN:
      return small(kE4M3FN, run, first, numbers);
    case DType::kFloat8E5M2:
      return small(kE5M2, run, first, numbers);
    case DType::kFloat8E4M3FNUZ:
      return small(kE4M3FNUZ, run, first, numbers);
    case DType::kFloat8E5M2FNUZ:
      return small(kE5M2FNUZ, run, first, numbers);
    case DType::kFloat8E8M0FNU:
      return fill(first, numbers,
                  [&](std::uint64_t i) { return e8m0(load<std::uint8_t>(run, i)); });
    case DType::kFloat4E2M1FN:
      return small(kE2M1, run, first, numbers);
    case DType::kFloat6E2M3FN:
      return small(kE2M3, run, first, numbers);
    case DType::kFloat6E3M2FN:
      return small(kE3M2, run, first, numbers);
    case DType::kInt4:
      return int4(run, first, numbers);
    case DType::kUInt4:
    case DType::kQUInt4x2:
      return small_unsigned(4, run, first, numbers);
    case DType::kQUInt2x4:
      return small_unsigned(2, run, first, numbers);
    case DType::kBits1x8:
    case DType::kBits2x4:
    case DType::kBits4x2:
    case DType::kBits8:
    case DType::kBits16:
      break;
  }
}

bool element_differs(DType dtype, Bytes a, Bytes b, std::uint64_t i) {
  const int bits = dtype_bits(dtype);
  if (bits % 8 != 0) return packed(a, i, bits) != packed(b, i, bits);
  const auto size = static_cast<std::size_t>(bits / 8);
  const std::size_t at = static_cast<std::size_t>(i) * size;
  return std::memcmp(a.data() + at, b.data() + at, size) != 0;
}

}  // namespace ingot::tools
