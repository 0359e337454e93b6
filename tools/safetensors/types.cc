#include "tools/safetensors/types.h"

#include <algorithm>
#include <array>

namespace ingot::safetensors {
namespace {

struct Entry {
  DType dtype;
  std::string_view name;
};

// In the order of the reference library's enumeration (safetensors 0.8.0): it sorts by it.
constexpr std::array kTypes = {
    Entry{DType::kBool, "BOOL"},
    Entry{DType::kFloat4E2M1FN, "F4"},
    Entry{DType::kFloat6E2M3FN, "F6_E2M3"},
    Entry{DType::kFloat6E3M2FN, "F6_E3M2"},
    Entry{DType::kUInt8, "U8"},
    Entry{DType::kInt8, "I8"},
    Entry{DType::kFloat8E5M2, "F8_E5M2"},
    Entry{DType::kFloat8E4M3FN, "F8_E4M3"},
    Entry{DType::kFloat8E8M0FNU, "F8_E8M0"},
    Entry{DType::kFloat8E4M3FNUZ, "F8_E4M3FNUZ"},
    Entry{DType::kFloat8E5M2FNUZ, "F8_E5M2FNUZ"},
    Entry{DType::kInt16, "I16"},
    Entry{DType::kUInt16, "U16"},
    Entry{DType::kFloat16, "F16"},
    Entry{DType::kBFloat16, "BF16"},
    Entry{DType::kInt32, "I32"},
    Entry{DType::kUInt32, "U32"},
    Entry{DType::kFloat32, "F32"},
    Entry{DType::kComplex64, "C64"},
    Entry{DType::kFloat64, "F64"},
    Entry{DType::kInt64, "I64"},
    Entry{DType::kUInt64, "U64"},
};

}  // namespace

std::optional<DType> parse_type(std::string_view name) {
  const auto* found = std::find_if(kTypes.begin(), kTypes.end(),
                                   [&](const Entry& entry) { return entry.name == name; });
  if (found == kTypes.end()) return std::nullopt;
  return found->dtype;
}

std::string_view type_name(DType dtype) {
  const auto* found = std::find_if(kTypes.begin(), kTypes.end(),
                                   [&](const Entry& entry) { return entry.dtype == dtype; });
  return found == kTypes.end() ? std::string_view() : found->name;
}

int type_rank(DType dtype) {
  const auto* found = std::find_if(kTypes.begin(), kTypes.end(),
                                   [&](const Entry& entry) { return entry.dtype == dtype; });
  return static_cast<int>(found - kTypes.begin());
}

}  // namespace ingot::safetensors
