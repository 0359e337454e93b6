#include "ingot/dtype.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string_view>

#include "ingot/tensor.h"

namespace ingot {
namespace {

struct Pinned {
  int number;
  DType dtype;
  std::string_view name;
  int bits;
};

// Written out once more, by hand: these numbers are in files. Lines are added, never changed.
constexpr std::array kPinned = {
    Pinned{1, DType::kBool, "bool", 8},
    Pinned{2, DType::kUInt8, "uint8", 8},
    Pinned{3, DType::kInt8, "int8", 8},
    Pinned{4, DType::kUInt16, "uint16", 16},
    Pinned{5, DType::kInt16, "int16", 16},
    Pinned{6, DType::kUInt32, "uint32", 32},
    Pinned{7, DType::kInt32, "int32", 32},
    Pinned{8, DType::kUInt64, "uint64", 64},
    Pinned{9, DType::kInt64, "int64", 64},
    Pinned{10, DType::kFloat16, "float16", 16},
    Pinned{11, DType::kBFloat16, "bfloat16", 16},
    Pinned{12, DType::kFloat32, "float32", 32},
    Pinned{13, DType::kFloat64, "float64", 64},
    Pinned{14, DType::kComplex32, "complex32", 32},
    Pinned{15, DType::kComplex64, "complex64", 64},
    Pinned{16, DType::kComplex128, "complex128", 128},
    Pinned{17, DType::kFloat8E4M3FN, "float8_e4m3fn", 8},
    Pinned{18, DType::kFloat8E5M2, "float8_e5m2", 8},
    Pinned{19, DType::kFloat8E4M3FNUZ, "float8_e4m3fnuz", 8},
    Pinned{20, DType::kFloat8E5M2FNUZ, "float8_e5m2fnuz", 8},
    Pinned{21, DType::kFloat8E8M0FNU, "float8_e8m0fnu", 8},
    Pinned{22, DType::kFloat4E2M1FN, "float4_e2m1fn", 4},
    Pinned{23, DType::kFloat6E2M3FN, "float6_e2m3fn", 6},
    Pinned{24, DType::kFloat6E3M2FN, "float6_e3m2fn", 6},
    Pinned{25, DType::kInt4, "int4", 4},
    Pinned{26, DType::kUInt4, "uint4", 4},
    Pinned{27, DType::kQInt8, "qint8", 8},
    Pinned{28, DType::kQUInt8, "quint8", 8},
    Pinned{29, DType::kQInt32, "qint32", 32},
    Pinned{30, DType::kQUInt4x2, "quint4x2", 4},
    Pinned{31, DType::kQUInt2x4, "quint2x4", 2},
    Pinned{32, DType::kUInt1, "uint1", 8},
    Pinned{33, DType::kUInt2, "uint2", 8},
    Pinned{34, DType::kUInt3, "uint3", 8},
    Pinned{35, DType::kUInt5, "uint5", 8},
    Pinned{36, DType::kUInt6, "uint6", 8},
    Pinned{37, DType::kUInt7, "uint7", 8},
    Pinned{38, DType::kInt1, "int1", 8},
    Pinned{39, DType::kInt2, "int2", 8},
    Pinned{40, DType::kInt3, "int3", 8},
    Pinned{41, DType::kInt5, "int5", 8},
    Pinned{42, DType::kInt6, "int6", 8},
    Pinned{43, DType::kInt7, "int7", 8},
    Pinned{44, DType::kBits1x8, "bits1x8", 8},
    Pinned{45, DType::kBits2x4, "bits2x4", 8},
    Pinned{46, DType::kBits4x2, "bits4x2", 8},
    Pinned{47, DType::kBits8, "bits8", 8},
    Pinned{48, DType::kBits16, "bits16", 16},
};

TEST(DTypeTest, NumbersNamesAndWidthsArePinned) {
  ASSERT_EQ(kPinned.size(), kLastDType);
  for (std::size_t i = 0; i < kPinned.size(); ++i) {
    const Pinned& pinned = kPinned[i];
    EXPECT_EQ(pinned.number, static_cast<int>(i) + 1) << "no gaps";
    EXPECT_EQ(static_cast<int>(pinned.dtype), pinned.number) << pinned.name;
    EXPECT_EQ(dtype_name(pinned.dtype), pinned.name);
    EXPECT_EQ(dtype_bits(pinned.dtype), pinned.bits) << pinned.name;
    EXPECT_EQ(parse_dtype(pinned.name), pinned.dtype);
  }
}

TEST(DTypeTest, NumbersBeyondTheTableAreNone) {
  EXPECT_FALSE(is_dtype(0));
  EXPECT_TRUE(is_dtype(1));
  EXPECT_TRUE(is_dtype(48));
  EXPECT_FALSE(is_dtype(49));
  EXPECT_FALSE(is_dtype(255));
  EXPECT_EQ(dtype_bits(static_cast<DType>(0)), 0);
  EXPECT_EQ(dtype_bits(static_cast<DType>(49)), 0);
  EXPECT_EQ(dtype_bits(static_cast<DType>(255)), 0);
  EXPECT_EQ(dtype_name(static_cast<DType>(0)), "unknown");
  EXPECT_EQ(dtype_name(static_cast<DType>(49)), "unknown");
}

TEST(DTypeTest, OtherNamesAreNone) {
  for (const std::string_view name : {"", "float", "F32", "bfloat16 ", "unknown"}) {
    EXPECT_EQ(parse_dtype(name), std::nullopt) << name;
  }
}

TEST(DTypeTest, QuantisedTypes) {
  std::set<std::string_view> names;
  for (const Pinned& pinned : kPinned) {
    if (is_quantized(pinned.dtype)) names.insert(pinned.name);
  }
  EXPECT_EQ(names,
            (std::set<std::string_view>{"qint8", "quint8", "qint32", "quint4x2", "quint2x4"}));
}

TEST(RoleTest, NumbersAndNames) {
  EXPECT_EQ(static_cast<int>(Role::kParameter), 1);
  EXPECT_EQ(static_cast<int>(Role::kBuffer), 2);
  EXPECT_EQ(static_cast<int>(Role::kOptimizerState), 3);
  EXPECT_EQ(static_cast<int>(Role::kOther), 4);
  EXPECT_EQ(role_name(Role::kParameter), "parameter");
  EXPECT_EQ(role_name(Role::kBuffer), "buffer");
  EXPECT_EQ(role_name(Role::kOptimizerState), "optimizer state");
  EXPECT_EQ(role_name(Role::kOther), "other");
  EXPECT_EQ(role_name(static_cast<Role>(9)), "unknown");
}

}  // namespace
}  // namespace ingot
