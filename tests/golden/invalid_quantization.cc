// Quantisation: present where it must not be, absent where it must be, and at odds with itself.
#include <cstdint>
#include <limits>

#include "tests/golden/invalid_goldens.h"

namespace ingot::golden {

namespace {

using Quant = HostileIndex::Quantization;

// The quantization of one tensor of quantized_file() changed: 0 per tensor, 1 per channel, 2 with
// float parameters.
InvalidGolden quant(std::string name, std::string rule, std::string why, std::size_t number,
                    void (*edit)(Quant&)) {
  return hostile(
      "quantization_" + name, std::move(rule), std::move(why),
      [number, edit](HostileFile& f) { edit(*f.index.tensors[number].quantization); },
      quantized_file);
}

}  // namespace

Goldens invalid_quantization() {
  Goldens all;
  all.push_back(hostile(
      "quantization_missing", "F-61", "a quantised type without quantization",
      [](HostileFile& f) { f.index.tensors[0].quantization.reset(); }, quantized_file));
  all.push_back(hostile(
      "quantization_of_float", "F-61", "quantization of a float32",
      [](HostileFile& f) { f.index.tensors[0].quantization = HostileIndex::Quantization{}; }));
  all.push_back(quant("scheme_0", "F-62", "scheme 0", 0, [](Quant& q) { q.scheme = 0; }));
  all.push_back(quant("scheme_4", "F-62", "scheme 4", 0, [](Quant& q) { q.scheme = 4; }));
  all.push_back(quant("scheme_255", "F-62", "scheme 255", 0, [](Quant& q) { q.scheme = 255; }));
  all.push_back(
      quant("tensor_axis", "F-63", "an axis per tensor", 0, [](Quant& q) { q.axis = 1; }));
  all.push_back(quant("tensor_scales", "F-63", "a storage of scales per tensor", 0,
                      [](Quant& q) { q.scales = 1; }));
  all.push_back(quant("tensor_zero_points", "F-63", "a storage of zero points per tensor", 0,
                      [](Quant& q) { q.zero_points = 1; }));
  all.push_back(quant("axis_negative", "F-64", "axis -1", 1, [](Quant& q) { q.axis = -1; }));
  all.push_back(
      quant("axis_rank", "F-64", "axis 2 of two dimensions", 1, [](Quant& q) { q.axis = 2; }));
  all.push_back(quant("axis_max", "F-64", "axis 2^31 - 1", 2,
                      [](Quant& q) { q.axis = std::numeric_limits<std::int32_t>::max(); }));
  all.push_back(
      quant("channel_scale", "F-64", "one scale beside many", 1, [](Quant& q) { q.scale = 2.0; }));
  all.push_back(quant("channel_scale_nan", "F-64", "a scale that is not a number beside many", 1,
                      [](Quant& q) { q.scale = std::numeric_limits<double>::quiet_NaN(); }));
  all.push_back(quant("channel_zero_point", "F-64", "one zero point beside many", 2,
                      [](Quant& q) { q.zero_point = 1; }));
  all.push_back(quant("scales_beyond", "F-54", "scales in a storage that is not there", 1,
                      [](Quant& q) { q.scales = 7; }));
  all.push_back(quant("zero_points_beyond", "F-54", "zero points in a storage that is not there", 2,
                      [](Quant& q) { q.zero_points = 0xFFFFFFFF; }));
  all.push_back(quant("other_axis", "F-65", "as many scales as another axis is long", 1,
                      [](Quant& q) { q.axis = 0; }));
  all.push_back(
      quant("scales_are_the_data", "F-65", "scales in the tensor's own storage", 1, [](Quant& q) {
        q.scales = 1;
        q.zero_points = 2;
      }));
  all.push_back(hostile(
      "quantization_scheme_swapped", "F-65", "float64 scales taken for float32",
      [](HostileFile& f) { f.index.tensors[1].quantization->scheme = 3; }, quantized_file));
  all.push_back(hostile(
      "quantization_scheme_swapped_back", "F-65", "float32 scales taken for float64",
      [](HostileFile& f) { f.index.tensors[2].quantization->scheme = 2; }, quantized_file));
  return all;
}

}  // namespace ingot::golden
