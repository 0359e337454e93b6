// Element types of the format and of LibTorch. Both switches name every value, so that a new one
// on either side is a compiler warning here.
#include <optional>

#include "ingot/libtorch.h"

// Types that LibTorch got after 2.6.
#define INGOT_TORCH_AT_LEAST(major, minor) \
  (TORCH_VERSION_MAJOR > (major) ||        \
   (TORCH_VERSION_MAJOR == (major) && TORCH_VERSION_MINOR >= (minor)))

namespace ingot::libtorch {

std::optional<torch::ScalarType> to_scalar_type(DType dtype) {
  using torch::ScalarType;
  switch (dtype) {
    case DType::kBool:
      return ScalarType::Bool;
    case DType::kUInt8:
      return ScalarType::Byte;
    case DType::kInt8:
      return ScalarType::Char;
    case DType::kUInt16:
      return ScalarType::UInt16;
    case DType::kInt16:
      return ScalarType::Short;
    case DType::kUInt32:
      return ScalarType::UInt32;
    case DType::kInt32:
      return ScalarType::Int;
    case DType::kUInt64:
      return ScalarType::UInt64;
    case DType::kInt64:
      return ScalarType::Long;
    case DType::kFloat16:
      return ScalarType::Half;
    case DType::kBFloat16:
      return ScalarType::BFloat16;
    case DType::kFloat32:
      return ScalarType::Float;
    case DType::kFloat64:
      return ScalarType::Double;
    case DType::kComplex32:
      return ScalarType::ComplexHalf;
    case DType::kComplex64:
      return ScalarType::ComplexFloat;
    case DType::kComplex128:
      return ScalarType::ComplexDouble;
    case DType::kFloat8E4M3FN:
      return ScalarType::Float8_e4m3fn;
    case DType::kFloat8E5M2:
      return ScalarType::Float8_e5m2;
    case DType::kFloat8E4M3FNUZ:
      return ScalarType::Float8_e4m3fnuz;
    case DType::kFloat8E5M2FNUZ:
      return ScalarType::Float8_e5m2fnuz;
    case DType::kFloat8E8M0FNU:
#if INGOT_TORCH_AT_LEAST(2, 7)
      return ScalarType::Float8_e8m0fnu;
#else
      return std::nullopt;
#endif
    case DType::kFloat4E2M1FN:
#if INGOT_TORCH_AT_LEAST(2, 8)
      return ScalarType::Float4_e2m1fn_x2;
#else
      return std::nullopt;
#endif
    case DType::kFloat6E2M3FN:
    case DType::kFloat6E3M2FN:
      return std::nullopt;
    case DType::kInt4:
      return ScalarType::Int4;
    case DType::kUInt4:
      return ScalarType::UInt4;
    case DType::kQInt8:
      return ScalarType::QInt8;
    case DType::kQUInt8:
      return ScalarType::QUInt8;
    case DType::kQInt32:
      return ScalarType::QInt32;
    case DType::kQUInt4x2:
      return ScalarType::QUInt4x2;
    case DType::kQUInt2x4:
      return ScalarType::QUInt2x4;
    case DType::kUInt1:
      return ScalarType::UInt1;
    case DType::kUInt2:
      return ScalarType::UInt2;
    case DType::kUInt3:
      return ScalarType::UInt3;
    case DType::kUInt5:
      return ScalarType::UInt5;
    case DType::kUInt6:
      return ScalarType::UInt6;
    case DType::kUInt7:
      return ScalarType::UInt7;
    case DType::kInt1:
      return ScalarType::Int1;
    case DType::kInt2:
      return ScalarType::Int2;
    case DType::kInt3:
      return ScalarType::Int3;
    case DType::kInt5:
      return ScalarType::Int5;
    case DType::kInt6:
      return ScalarType::Int6;
    case DType::kInt7:
      return ScalarType::Int7;
    case DType::kBits1x8:
      return ScalarType::Bits1x8;
    case DType::kBits2x4:
      return ScalarType::Bits2x4;
    case DType::kBits4x2:
      return ScalarType::Bits4x2;
    case DType::kBits8:
      return ScalarType::Bits8;
    case DType::kBits16:
      return ScalarType::Bits16;
  }
  return std::nullopt;
}

std::optional<DType> to_dtype(torch::ScalarType type) {
  using torch::ScalarType;
  switch (type) {
    case ScalarType::Bool:
      return DType::kBool;
    case ScalarType::Byte:
      return DType::kUInt8;
    case ScalarType::Char:
      return DType::kInt8;
    case ScalarType::UInt16:
      return DType::kUInt16;
    case ScalarType::Short:
      return DType::kInt16;
    case ScalarType::UInt32:
      return DType::kUInt32;
    case ScalarType::Int:
      return DType::kInt32;
    case ScalarType::UInt64:
      return DType::kUInt64;
    case ScalarType::Long:
      return DType::kInt64;
    case ScalarType::Half:
      return DType::kFloat16;
    case ScalarType::BFloat16:
      return DType::kBFloat16;
    case ScalarType::Float:
      return DType::kFloat32;
    case ScalarType::Double:
      return DType::kFloat64;
    case ScalarType::ComplexHalf:
      return DType::kComplex32;
    case ScalarType::ComplexFloat:
      return DType::kComplex64;
    case ScalarType::ComplexDouble:
      return DType::kComplex128;
    case ScalarType::Float8_e4m3fn:
      return DType::kFloat8E4M3FN;
    case ScalarType::Float8_e5m2:
      return DType::kFloat8E5M2;
    case ScalarType::Float8_e4m3fnuz:
      return DType::kFloat8E4M3FNUZ;
    case ScalarType::Float8_e5m2fnuz:
      return DType::kFloat8E5M2FNUZ;
#if INGOT_TORCH_AT_LEAST(2, 7)
    case ScalarType::Float8_e8m0fnu:
      return DType::kFloat8E8M0FNU;
#endif
#if INGOT_TORCH_AT_LEAST(2, 8)
    case ScalarType::Float4_e2m1fn_x2:
      return DType::kFloat4E2M1FN;
#endif
    case ScalarType::Int4:
      return DType::kInt4;
    case ScalarType::UInt4:
      return DType::kUInt4;
    case ScalarType::QInt8:
      return DType::kQInt8;
    case ScalarType::QUInt8:
      return DType::kQUInt8;
    case ScalarType::QInt32:
      return DType::kQInt32;
    case ScalarType::QUInt4x2:
      return DType::kQUInt4x2;
    case ScalarType::QUInt2x4:
      return DType::kQUInt2x4;
    case ScalarType::UInt1:
      return DType::kUInt1;
    case ScalarType::UInt2:
      return DType::kUInt2;
    case ScalarType::UInt3:
      return DType::kUInt3;
    case ScalarType::UInt5:
      return DType::kUInt5;
    case ScalarType::UInt6:
      return DType::kUInt6;
    case ScalarType::UInt7:
      return DType::kUInt7;
    case ScalarType::Int1:
      return DType::kInt1;
    case ScalarType::Int2:
      return DType::kInt2;
    case ScalarType::Int3:
      return DType::kInt3;
    case ScalarType::Int5:
      return DType::kInt5;
    case ScalarType::Int6:
      return DType::kInt6;
    case ScalarType::Int7:
      return DType::kInt7;
    case ScalarType::Bits1x8:
      return DType::kBits1x8;
    case ScalarType::Bits2x4:
      return DType::kBits2x4;
    case ScalarType::Bits4x2:
      return DType::kBits4x2;
    case ScalarType::Bits8:
      return DType::kBits8;
    case ScalarType::Bits16:
      return DType::kBits16;
    case ScalarType::Undefined:
    case ScalarType::NumOptions:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace ingot::libtorch
