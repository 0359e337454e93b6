// Tensors: every field, shapes and strides that overflow, escape or lie.
#include <cstdint>
#include <limits>
#include <vector>

#include "tests/golden/invalid_goldens.h"

namespace ingot::golden {

namespace {

constexpr std::int64_t kMaxDim = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMinDim = std::numeric_limits<std::int64_t>::min();
using Tensor = HostileIndex::Tensor;
using Dims = std::vector<std::int64_t>;

// One tensor of small_file() changed: 0 is float32 [2, 3] of 24 bytes.
InvalidGolden tensor(std::string name, std::string rule, std::string why,
                     std::function<void(Tensor&)> edit, std::size_t number = 0) {
  return hostile(
      "tensor_" + name, std::move(rule), std::move(why),
      [number, edit = std::move(edit)](HostileFile& f) { edit(f.index.tensors[number]); });
}

InvalidGolden shape(std::string name, std::string rule, std::string why, Dims dims) {
  return tensor("shape_" + name, std::move(rule), std::move(why),
                [dims = std::move(dims)](Tensor& t) { t.shape = dims; });
}

InvalidGolden strides(std::string name, std::string rule, std::string why, Dims dims, Dims steps) {
  return tensor("strides_" + name, std::move(rule), std::move(why),
                [dims = std::move(dims), steps = std::move(steps)](Tensor& t) {
                  t.shape = dims;
                  t.strides = steps;
                });
}

// A packed type in place of int4 [3, 2].
InvalidGolden packed(std::string name, std::string why, DType dtype, Dims dims) {
  return tensor(
      "packed_" + name, "F-57", std::move(why),
      [dtype, dims = std::move(dims)](Tensor& t) {
        t.dtype = static_cast<std::uint8_t>(dtype);
        t.shape = dims;
        if (is_quantized(dtype)) t.quantization = HostileIndex::Quantization{};
      },
      6);
}

void add_fields(Goldens& all) {
  for (const std::uint8_t dtype : std::initializer_list<std::uint8_t>{0, 49, 128, 255}) {
    all.push_back(
        tensor("dtype_" + std::to_string(dtype), "F-51",
               "no element type has the number " + std::to_string(dtype) + " (llama.cpp PR 26690)",
               [dtype](Tensor& t) { t.dtype = dtype; }));
  }
  for (const std::uint8_t role : std::initializer_list<std::uint8_t>{0, 5, 255}) {
    all.push_back(tensor("role_" + std::to_string(role), "F-52",
                         "no tensor has the role " + std::to_string(role),
                         [role](Tensor& t) { t.role = role; }));
  }
  all.push_back(tensor("requires_grad_2", "F-53", "a truth value of 2",
                       [](Tensor& t) { t.requires_grad = 2; }));
  all.push_back(tensor("requires_grad_255", "F-53", "a truth value of 255",
                       [](Tensor& t) { t.requires_grad = 255; }));
  all.push_back(tensor("storage_8", "F-54", "a storage just beyond the last",
                       [](Tensor& t) { t.storage = 8; }));
  all.push_back(
      tensor("storage_max", "F-54", "storage 2^32 - 1", [](Tensor& t) { t.storage = 0xFFFFFFFF; }));
  all.push_back(tensor("pieces", "F-36", "pieces without the feature bit", [](Tensor& t) {
    t.pieces.emplace(1).front() = {{0, 0}, {2, 3}, 0, 0, {3, 1}};
  }));
  all.push_back(tensor("pieces_empty", "F-36", "no pieces, said with a vector",
                       [](Tensor& t) { t.pieces.emplace(); }));
}

void add_shapes(Goldens& all) {
  all.push_back(shape("rank_65", "F-55", "65 dimensions (CVE-2024-21825)", Dims(65, 1)));
  all.push_back(shape("rank_300", "F-55", "300 dimensions (CVE-2024-21825, gguf-tools issue 25)",
                      Dims(300, 1)));
  all.push_back(shape("negative", "F-56", "a dimension of -1", {-1, 3}));
  all.push_back(
      shape("negative_pair", "F-56", "two negative dimensions with a positive product", {-2, -3}));
  all.push_back(shape("most_negative", "F-56", "a dimension of -2^63", {kMinDim}));
  all.push_back(shape("overflow_2_64", "F-56", "2^32 times 2^32 wraps to 0 (CVE-2024-21836)",
                      {std::int64_t{1} << 32, std::int64_t{1} << 32}));
  all.push_back(
      shape("overflow_to_small", "F-56", "a product that wraps to 5", {3, (kMaxDim / 3) * 2 + 3}));
  all.push_back(shape("overflow_max", "F-56", "the largest dimensions", {kMaxDim, kMaxDim, 2}));
  all.push_back(shape("overflow_bytes", "F-56",
                      "elements that fit and bits that do not (CVE-2026-33298)",
                      {std::int64_t{1} << 60}));
  all.push_back(shape("overflow_beside_zero", "F-56", "an overflow beside a dimension of 0",
                      {0, std::int64_t{1} << 40, std::int64_t{1} << 40}));
  all.push_back(
      shape("negative_beside_zero", "F-56", "a negative dimension beside one of 0", {0, -1}));
  all.push_back(shape("too_large", "F-60", "one row more than the storage holds", {3, 3}));
  all.push_back(shape("truncates_to_int", "F-60",
                      "2^32 + 6 elements, 6 after a cast to int (CVE-2026-53923, CVE-2025-49847)",
                      {(std::int64_t{1} << 32) + 6}));
  all.push_back(shape("empty_vector", "F-34", "a 0-d shape written as an empty vector", {}));
}

void add_strides(Goldens& all) {
  all.push_back(strides("too_few", "F-58", "one stride for two dimensions", {2, 3}, {3}));
  all.push_back(strides("too_many", "F-58", "three strides for two dimensions", {2, 3}, {6, 3, 1}));
  all.push_back(
      strides("row_major", "F-58", "strides that row-major order implies", {2, 3}, {3, 1}));
  all.push_back(
      strides("row_major_empty", "F-58", "row-major strides of an empty tensor", {0, 3}, {3, 1}));
  all.push_back(strides("negative", "F-56", "a negative stride", {2, 3}, {-3, 1}));
  all.push_back(
      strides("negative_unused", "F-56", "a negative stride of a dimension of 1", {1, 3}, {-1, 1}));
  all.push_back(strides("escape", "F-60", "strides that leave the storage", {2, 3}, {4, 1}));
  all.push_back(strides("escape_far", "F-60", "strides that leave the file", {2, 3},
                        {std::int64_t{1} << 32, 1}));
  all.push_back(strides("overflow_product", "F-56", "a distance that wraps",
                        {std::int64_t{1} << 33, 2}, {std::int64_t{1} << 33, 1}));
  all.push_back(strides("overflow_sum", "F-56", "distances whose sum wraps", {2, 2, 2},
                        {kMaxDim, kMaxDim, 3}));
  all.push_back(strides("overflow_bytes", "F-56", "an extent whose bits wrap", {2, 1},
                        {std::int64_t{1} << 60, 1}));
  all.push_back(strides("overflow_empty", "F-56", "an overflow in a tensor without elements",
                        {0, std::int64_t{1} << 40, 4}, {1, std::int64_t{1} << 40, 1}));
  all.push_back(tensor(
      "strides_of_scalar", "F-58", "a stride for no dimension",
      [](Tensor& t) { t.strides = Dims{1}; }, 4));
  all.push_back(tensor("strides_empty_vector", "F-34", "no strides, said with a vector",
                       [](Tensor& t) { t.strides = Dims{}; }));
  all.push_back(tensor(
      "strides_packed", "F-57", "strides of a packed type",
      [](Tensor& t) {
        t.strides = Dims{1, 3};
      },
      6));
}

void add_packed(Goldens& all) {
  all.push_back(packed("int4_odd", "three elements of 4 bits", DType::kInt4, {3}));
  all.push_back(packed("int4_scalar", "one element of 4 bits", DType::kInt4, {1, 1}));
  all.push_back(packed("float4_odd", "five elements of 4 bits", DType::kFloat4E2M1FN, {5}));
  all.push_back(packed("float6_two", "12 bits", DType::kFloat6E2M3FN, {2}));
  all.push_back(packed("float6_three", "18 bits", DType::kFloat6E3M2FN, {3}));
  all.push_back(packed("quint2x4_three", "6 bits", DType::kQUInt2x4, {3}));
  all.push_back(packed("quint4x2_odd", "12 bits", DType::kQUInt4x2, {3}));
}

void add_offsets(Goldens& all) {
  all.push_back(tensor("byte_offset_odd", "F-59", "a float32 at an odd offset",
                       [](Tensor& t) { t.byte_offset = 1; }));
  all.push_back(tensor("byte_offset_2", "F-59", "a float32 at offset 2",
                       [](Tensor& t) { t.byte_offset = 2; }));
  all.push_back(tensor("byte_offset_beyond", "F-60", "a tensor that begins where its storage ends",
                       [](Tensor& t) { t.byte_offset = 24; }));
  all.push_back(tensor("byte_offset_partly", "F-60",
                       "a tensor whose last element is beyond its storage",
                       [](Tensor& t) { t.byte_offset = 4; }));
  all.push_back(tensor("byte_offset_wraps", "F-60",
                       "an offset that wraps around to 0 (CVE-2024-23605)",
                       [](Tensor& t) { t.byte_offset = ~std::uint64_t{0} - 3; }));
  all.push_back(
      tensor("byte_offset_of_empty", "F-60", "an empty tensor beyond its storage", [](Tensor& t) {
        t.shape = Dims{0};
        t.byte_offset = 28;
      }));
  all.push_back(tensor(
      "byte_offset_packed", "F-60", "a packed tensor beyond its storage",
      [](Tensor& t) { t.byte_offset = 1; }, 6));
}

}  // namespace

Goldens invalid_tensors() {
  Goldens all;
  add_fields(all);
  add_shapes(all);
  add_strides(all);
  add_packed(all);
  add_offsets(all);
  return all;
}

}  // namespace ingot::golden
