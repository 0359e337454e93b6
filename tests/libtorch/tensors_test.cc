// Tensors of every type and layout, out and back: copied, as views of the file, in place.
#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "ingot/checkpoint.h"

#include "tests/libtorch/torch_testing.h"

namespace ingot::libtorch::testing {
namespace {

using torch::ScalarType;
using torch::Tensor;

class TensorsTest : public ::testing::Test {
 protected:
  std::string path(const char* name = "file.ingot") const { return scratch_.path(name); }

  TensorDict out_and_back(const TensorDict& tensors, Placement placement) {
    save_tensors(path(), tensors, quick());
    return load_tensors(path(), {.placement = placement});
  }
  Tensor out_and_back(const Tensor& tensor, Placement placement = Placement::kInPlace) {
    TensorDict dict;
    dict.insert("t", tensor);
    return out_and_back(dict, placement)["t"];
  }

  ingot::testing::Scratch scratch_;
};

// Every byte differs from its neighbours, whatever the type.
Tensor with_pattern(ScalarType type, std::vector<std::int64_t> shape) {
  Tensor tensor = torch::empty(shape, type);
  auto* bytes = static_cast<std::uint8_t*>(tensor.data_ptr());
  for (std::size_t i = 0; i < tensor.nbytes(); ++i)
    bytes[i] = static_cast<std::uint8_t>(i * 37 + 1);
  return tensor;
}

// Element by element: LibTorch itself cannot copy all types.
std::string bits_by_row(const Tensor& tensor) {
  std::string bits;
  const auto size = static_cast<std::size_t>(tensor.element_size());
  const auto* begin = static_cast<const char*>(tensor.const_data_ptr());
  for (std::int64_t i = 0; i < tensor.size(0); ++i) {
    for (std::int64_t j = 0; j < tensor.size(1); ++j) {
      const std::int64_t at = i * tensor.stride(0) + j * tensor.stride(1);
      bits.append(begin + static_cast<std::size_t>(at) * size, size);
    }
  }
  return bits;
}

TEST_F(TensorsTest, EveryPlainTypeBothWays) {
  int types = 0;
  for (int number = 0; number < static_cast<int>(ScalarType::NumOptions); ++number) {
    const auto type = static_cast<ScalarType>(number);
    const auto dtype = to_dtype(type);
    if (!dtype || is_quantized(*dtype)) continue;
    ++types;
    EXPECT_EQ(to_scalar_type(*dtype), type);
    Tensor tensor = with_pattern(type, {3, 4});
    if (type == ScalarType::Bool) tensor = torch::tensor({{true, false}, {true, true}});
    if (type == ScalarType::UInt4 || type == ScalarType::Int4) {
      for (std::size_t i = 0; i < tensor.nbytes(); ++i) {
        const int value = static_cast<int>(i) + (type == ScalarType::Int4 ? -6 : 2);
        static_cast<std::int8_t*>(tensor.data_ptr())[i] = static_cast<std::int8_t>(value);
      }
    }
    for (const Placement placement : {Placement::kInPlace, Placement::kAssign}) {
      expect_same(tensor, out_and_back(tensor, placement), toString(type));
    }
    // Into memory that lies otherwise, and out of it.
    Tensor turned = torch::empty({tensor.size(1), tensor.size(0)}, type).t();
    load(path(), TrainingState().tensor("t", turned));
    EXPECT_EQ(bits_by_row(turned), bits_by_row(tensor)) << toString(type);
    EXPECT_EQ(bits_by_row(out_and_back(turned)), bits_by_row(tensor)) << toString(type);
    EXPECT_EQ(bits_by_row(out_and_back(turned.slice(0, 0, 1))), bits_by_row(tensor.slice(0, 0, 1)))
        << toString(type);
  }
  EXPECT_GE(types, 36);
}

// Types that LibTorch got after 2.6.
bool is_newer_than_torch(DType dtype) {
  const int version = TORCH_VERSION_MAJOR * 100 + TORCH_VERSION_MINOR;
  if (dtype == DType::kFloat8E8M0FNU) return version < 207;
  if (dtype == DType::kFloat4E2M1FN) return version < 208;
  return false;
}

TEST_F(TensorsTest, EveryNumberOfTheFormat) {
  for (int number = kFirstDType; number <= kLastDType; ++number) {
    const auto dtype = static_cast<DType>(number);
    const auto type = to_scalar_type(dtype);
    const bool only_ingot = dtype == DType::kFloat6E2M3FN || dtype == DType::kFloat6E3M2FN;
    EXPECT_EQ(type.has_value(), !only_ingot && !is_newer_than_torch(dtype)) << dtype_name(dtype);
    if (type) {
      EXPECT_EQ(to_dtype(*type), dtype);
    }
  }
}

TEST_F(TensorsTest, Quantised) {
  const Tensor values = torch::linspace(-2, 2, 24).reshape({4, 6});
  const Tensor scales = torch::tensor({0.1, 0.2, 0.3, 0.4}, torch::kDouble);
  const Tensor zero_points = torch::tensor({1, 2, 3, 4}, torch::kLong);
  const std::array tensors = {
      torch::quantize_per_tensor(values, 0.05, 3, torch::kQInt8),
      torch::quantize_per_tensor(values, 0.05, 100, torch::kQUInt8),
      torch::quantize_per_tensor(values, 1e-4, 0, torch::kQInt32),
      torch::quantize_per_channel(values, scales, zero_points, 0, torch::kQInt8),
      torch::quantize_per_channel(values, scales.to(torch::kFloat), zero_points.to(torch::kFloat),
                                  0, torch::kQUInt8),
  };
  for (const Tensor& tensor : tensors) {
    for (const Placement placement : {Placement::kInPlace, Placement::kAssign}) {
      const Tensor back = out_and_back(tensor, placement);
      EXPECT_EQ(back.qscheme(), tensor.qscheme());
      expect_same(tensor.int_repr(), back.int_repr(), "numbers");
      expect_same(tensor.dequantize(), back.dequantize(), "values");
    }
  }
}

// Two and four elements in a byte.
TEST_F(TensorsTest, QuantisedAndPacked) {
  const Tensor values = torch::linspace(-2, 2, 32).reshape({4, 8});
  const Tensor scales = torch::tensor({0.1, 0.2, 0.3, 0.4}, torch::kFloat);
  const Tensor zero_points = torch::tensor({1, 2, 3, 4}, torch::kFloat);
  for (const ScalarType type : {torch::kQUInt4x2, torch::kQUInt2x4}) {
    const Tensor tensor = torch::quantize_per_channel(values, scales, zero_points, 0, type);
    for (const Placement placement : {Placement::kInPlace, Placement::kAssign}) {
      const Tensor back = out_and_back(tensor, placement);
      EXPECT_EQ(back.scalar_type(), type);
      ASSERT_EQ(back.storage().nbytes(), tensor.storage().nbytes());
      EXPECT_EQ(std::memcmp(back.data_ptr(), tensor.data_ptr(), tensor.storage().nbytes()), 0);
      EXPECT_TRUE(torch::equal(back.q_per_channel_scales(), tensor.q_per_channel_scales()));
    }
    EXPECT_EQ(Checkpoint::open(path())->storage(0).bytes, tensor.storage().nbytes());
  }
  const Tensor whole = at::_empty_affine_quantized({4, 8}, torch::kQUInt4x2, 0.5, 0);
  const auto part = [&] { out_and_back(whole.slice(0, 2, 4)); };
  EXPECT_EQ(code_of(part), Code::kUnsupported);
  EXPECT_THAT(message_of(part), ::testing::HasSubstr("t: a view of a packed quantised tensor"));
}

// LibTorch begins each of their rows with a new byte, the format does not.
TEST_F(TensorsTest, PackedRowsThatDoNotFillTheirBytesAreRefused) {
  const Tensor values = torch::linspace(-2, 2, 12).reshape({4, 3});
  const Tensor ones = torch::ones({4}, torch::kFloat);
  for (const ScalarType type : {torch::kQUInt4x2, torch::kQUInt2x4}) {
    const Tensor tensor = torch::quantize_per_channel(values, ones, ones, 0, type);
    const auto attempt = [&] { out_and_back(tensor); };
    EXPECT_EQ(code_of(attempt), Code::kUnsupported);
    EXPECT_THAT(message_of(attempt), ::testing::HasSubstr("t: rows that do not fill whole bytes"));
    EXPECT_FALSE(std::filesystem::exists(path()));
  }
  // As another program may write it.
  WritePlan plan;
  const TensorId id = plan.add({.name = "t",
                                .dtype = DType::kQUInt4x2,
                                .shape = {4, 3},
                                .quantization = QuantizationSpec{.scale = 0.5}});
  Writer writer = *Writer::create(path(), plan);
  ASSERT_TRUE(writer.write(id, std::vector<std::byte>(6)).ok());
  ASSERT_TRUE(writer.commit().ok());
  EXPECT_EQ(code_of([&] { load_tensors(path()); }), Code::kUnsupported);
}

TEST_F(TensorsTest, TiedQuantisedAndPackedTensorsStayOne) {
  const Tensor values = torch::linspace(-2, 2, 24).reshape({4, 6});
  const Tensor scales = torch::tensor({0.1, 0.2, 0.3, 0.4}, torch::kDouble);
  const Tensor zeros = torch::zeros({4}, torch::kLong);
  const Tensor whole = torch::quantize_per_tensor(values, 0.05, 3, torch::kQInt8);
  const Tensor channels = torch::quantize_per_channel(values, scales, zeros, 0, torch::kQInt8);
  const auto nibbles = [](int value) {
    const Tensor tensor = torch::empty({4, 6}, torch::kUInt4);
    std::memset(tensor.data_ptr(), value, 24);
    return tensor;
  };
  const std::array cases = {std::tuple(whole, whole.clone(), 1U),
                            std::tuple(channels, channels.clone(), 3U),
                            std::tuple(nibbles(5), nibbles(6), 1U)};
  for (const auto& [tensor, other, storages] : cases) {
    TensorDict dict;
    dict.insert("a", tensor);
    dict.insert("b", tensor.detach());
    dict.insert("other", other);
    for (const Placement placement : {Placement::kInPlace, Placement::kAssign}) {
      const TensorDict back = out_and_back(dict, placement);
      EXPECT_EQ(Checkpoint::open(path())->storage_count(), 2 * storages);
      EXPECT_EQ(back["a"].data_ptr(), back["b"].data_ptr());
      EXPECT_NE(back["a"].data_ptr(), back["other"].data_ptr());
      EXPECT_EQ(std::memcmp(back["b"].data_ptr(), tensor.data_ptr(), 24), 0);
    }
  }
}

// Modules that have one quantised tensor twice keep it so, and take the scale of the file.
TEST_F(TensorsTest, QuantisedTensorsOfAModule) {
  struct Model : torch::nn::Module {
    explicit Model(const Tensor& tensor) {
      first = register_buffer("first", tensor);
      second = register_buffer("second", tensor.detach());
    }
    Tensor first, second;
  };
  const Tensor values = torch::linspace(-2, 2, 24);
  Model stored(torch::quantize_per_tensor(values, 0.05, 3, torch::kQInt8));
  save(path(), stored, quick());
  Model live(torch::quantize_per_tensor(torch::zeros({24}), 0.5, 0, torch::kQInt8));
  EXPECT_TRUE(load(path(), live).exact());
  EXPECT_EQ(live.first.q_scale(), 0.05);
  EXPECT_TRUE(torch::equal(live.second.int_repr(), stored.first.int_repr()));
  EXPECT_EQ(live.first.data_ptr(), live.second.data_ptr());
}

// As another program may write it: LibTorch's own are row-major in the file.
TEST_F(TensorsTest, QuantisedWithStrides) {
  WritePlan plan;
  const TensorId id = plan.add({.name = "t",
                                .dtype = DType::kQInt8,
                                .shape = {2, 3},
                                .strides = {1, 2},
                                .quantization = QuantizationSpec{.scale = 0.5, .zero_point = 1}});
  Writer writer = *Writer::create(path(), plan);
  const std::array<std::int8_t, 6> numbers = {1, 2, 3, 4, 5, 6};
  ASSERT_TRUE(writer.write(id, std::as_bytes(std::span(numbers))).ok());
  ASSERT_TRUE(writer.commit().ok());
  const Tensor back = load_tensors(path())["t"];
  EXPECT_TRUE(torch::equal(back.int_repr(), torch::tensor({{1, 3, 5}, {2, 4, 6}}, torch::kChar)));
}

TEST_F(TensorsTest, ShapesAndStrides) {
  const Tensor base = with_pattern(torch::kFloat, {4, 6});
  const std::array tensors = {
      torch::tensor(3.5),       // 0-d
      torch::empty({0}),        // empty
      torch::empty({3, 0, 2}),  //
      base.t(),                 // transposed
      with_pattern(torch::kFloat, {2, 3, 4, 5}).contiguous(at::MemoryFormat::ChannelsLast),
      base.permute({1, 0}),                    //
      with_pattern(torch::kShort, {1, 5, 1}),  //
      base.slice(0, 1, 3),                     // of a larger one
  };
  for (const Tensor& tensor : tensors) {
    for (const Placement placement : {Placement::kInPlace, Placement::kAssign}) {
      expect_same(tensor, out_and_back(tensor, placement), c10::str(tensor.sizes()));
    }
  }
}

// What has gaps is stored without them: its strides are those of a larger tensor that is not saved.
TEST_F(TensorsTest, GapsAreNotStored) {
  const Tensor base = with_pattern(torch::kFloat, {100, 10});
  const Tensor column = base.select(1, 3);
  const Tensor back = out_and_back(column);
  EXPECT_TRUE(back.is_contiguous());
  EXPECT_TRUE(torch::equal(column, back));
  EXPECT_EQ(Checkpoint::open(path())->storage(0).bytes, 400U);
  const Tensor wide = torch::arange(3).expand({5, 3});
  EXPECT_TRUE(torch::equal(wide, out_and_back(wide)));
  EXPECT_EQ(Checkpoint::open(path())->storage(0).bytes, 5U * 3 * 8);
}

TEST_F(TensorsTest, ConjugateAndNegativeViewsAreStoredAsValues) {
  const Tensor numbers = torch::randn({5}, torch::kComplexFloat);
  EXPECT_TRUE(torch::equal(numbers.conj(), out_and_back(numbers.conj())));
  EXPECT_TRUE(torch::equal(torch::imag(numbers.conj()), out_and_back(torch::imag(numbers.conj()))));
}

TEST_F(TensorsTest, TiedTensorsAndViewsStayOne) {
  const Tensor base = with_pattern(torch::kFloat, {4, 6});
  TensorDict dict;
  dict.insert("base", base);
  dict.insert("tied", base);
  dict.insert("transposed", base.t());
  dict.insert("row", base.select(0, 2));
  dict.insert("column", base.select(1, 2));
  dict.insert("other", torch::ones({2}));
  for (const Placement placement : {Placement::kInPlace, Placement::kAssign}) {
    TensorDict back = out_and_back(dict, placement);
    EXPECT_EQ(Checkpoint::open(path())->storage_count(), 2U);
    for (const auto& item : dict) expect_same(item.value(), back[item.key()], item.key());
    back["base"].fill_(7);
    for (const char* name : {"tied", "transposed", "row", "column"}) {
      EXPECT_TRUE((back[name] == 7).all().item<bool>()) << name;
    }
    EXPECT_FALSE((back["other"] == 7).any().item<bool>());
    EXPECT_FALSE((base == 7).any().item<bool>());
  }
}

TEST_F(TensorsTest, PartsOfOneStorageThatDoNotMeetAreStoredApart) {
  const Tensor base = with_pattern(torch::kFloat, {1000});
  TensorDict dict;
  dict.insert("first", base.slice(0, 0, 10));
  dict.insert("last", base.slice(0, 990, 1000));
  const TensorDict back = out_and_back(dict, Placement::kInPlace);
  for (const auto& item : dict) expect_same(item.value(), back[item.key()], item.key());
  const Checkpoint checkpoint = *Checkpoint::open(path());
  EXPECT_EQ(checkpoint.storage_count(), 2U);
  EXPECT_EQ(checkpoint.storage(0).bytes + checkpoint.storage(1).bytes, 80U);
}

// Overlapping tensors with gaps between them: what lies in the gaps is chance and must not be seen.
TEST_F(TensorsTest, UnreachedBytesAreZero) {
  const auto write = [&](const char* name, std::uint8_t chance) {
    const Tensor base = torch::full({4, 6}, chance, torch::kByte);
    base.select(1, 1).fill_(1);
    base.select(1, 3).fill_(2);
    TensorDict dict;
    dict.insert("a", base.select(1, 1));
    dict.insert("b", base.select(1, 3));
    save_tensors(path(name), dict, quick());
    return Checkpoint::open(path(name))->file().root;
  };
  EXPECT_EQ(write("x.ingot", 77), write("y.ingot", 88));
  const TensorDict back = load_tensors(path("x.ingot"));
  EXPECT_TRUE((back["a"] == 1).all().item<bool>());
  EXPECT_TRUE((back["b"] == 2).all().item<bool>());
}

// Bytes of the largest element.
std::size_t largest_element(const std::vector<Tensor>& tensors) {
  std::int64_t largest = 1;
  for (const Tensor& tensor : tensors) largest = std::max(largest, tensor.element_size());
  return static_cast<std::size_t>(largest);
}

// Marks the bytes that a tensor reaches, element by element.
void mark(const Tensor& tensor, const std::byte* begin, std::vector<bool>& reached,
          std::int64_t dim = 0, std::int64_t element = 0) {
  if (dim < tensor.dim()) {
    for (std::int64_t i = 0; i < tensor.size(dim); ++i) {
      mark(tensor, begin, reached, dim + 1, element + i * tensor.stride(dim));
    }
    return;
  }
  const auto size = static_cast<std::ptrdiff_t>(tensor.element_size());
  const auto* at = static_cast<const std::byte*>(tensor.const_data_ptr()) + element * size;
  std::fill_n(reached.begin() + (at - begin), size, true);
}

// Views of one storage that overlap: exactly what they reach is in the file, the rest is zeros.
TEST_F(TensorsTest, OverlappingViewsWithGapsByteByByte) {
  const Tensor memory = with_pattern(torch::kByte, {2000});
  const Tensor shorts = memory.view(torch::kShort);
  const Tensor floats = memory.view(torch::kFloat);
  const Tensor wide = memory.view(torch::kComplexDouble);
  const std::vector<std::vector<Tensor>> cases = {
      {floats.as_strided({4, 5}, {40, 3}, 7), floats.as_strided({3, 2}, {1, 60}, 20)},
      {floats.as_strided({6, 9, 4}, {30, 0, 2}, 1), shorts.as_strided({5}, {31}, 11)},  // repeats
      {floats.as_strided({20, 4}, {3, 1}, 5), floats.as_strided({9, 9}, {2, 2}, 33)},   // windows
      {memory.as_strided({7}, {97}, 13), wide.as_strided({3}, {20}, 2)},
      {wide.as_strided({2, 2}, {30, 7}, 1), floats.as_strided({}, {}, 9),
       shorts.slice(0, 9, 500, 7)},
  };
  for (std::size_t number = 0; number < cases.size(); ++number) {
    SCOPED_TRACE(number);
    const auto* begin = static_cast<const std::byte*>(memory.const_data_ptr());
    std::vector<bool> reached(memory.nbytes());
    TensorDict views;
    for (const Tensor& view : cases[number]) {
      mark(view, begin, reached);
      views.insert("view." + std::to_string(views.size()), view);
    }
    const TensorDict back = out_and_back(views, Placement::kInPlace);
    for (const auto& item : views) expect_same(item.value(), back[item.key()], item.key());
    const Checkpoint checkpoint = *Checkpoint::open(path());
    ASSERT_EQ(checkpoint.storage_count(), 1U);
    std::vector<std::byte> stored(checkpoint.storage(0).bytes);
    std::ifstream file(path(), std::ios::binary);
    file.seekg(static_cast<std::streamoff>(checkpoint.storage(0).offset));
    file.read(reinterpret_cast<char*>(stored.data()), static_cast<std::streamsize>(stored.size()));
    ASSERT_TRUE(file.good());
    // The storage begins where the first view does, or at an element of the largest before it.
    auto from =
        static_cast<std::size_t>(std::find(reached.begin(), reached.end(), true) - reached.begin());
    from -= from % largest_element(cases[number]);
    for (std::size_t i = 0; i < stored.size(); ++i) {
      ASSERT_EQ(stored[i], reached[from + i] ? begin[from + i] : std::byte{0}) << i;
    }
    EXPECT_EQ(std::find(reached.begin() + static_cast<std::ptrdiff_t>(from + stored.size()),
                        reached.end(), true),
              reached.end());
  }
}

TEST_F(TensorsTest, MixedTypesOnOneStorage) {
  const Tensor bytes = with_pattern(torch::kByte, {64});
  TensorDict dict;
  dict.insert("bytes", bytes.slice(0, 4, 64));
  dict.insert("words", bytes.view(torch::kInt).slice(0, 2, 9));
  const TensorDict back = out_and_back(dict, Placement::kAssign);
  for (const auto& item : dict) expect_same(item.value(), back[item.key()], item.key());
}

TEST_F(TensorsTest, ViewsKeepTheFileAndNeverChangeIt) {
  const Tensor tensor = with_pattern(torch::kFloat, {5000});
  Tensor view = out_and_back(tensor, Placement::kAssign);
  std::filesystem::remove(path());
  expect_same(tensor, view, "after the file's name is gone");
  save_tensors(path(), {{"t", tensor}}, quick());
  Tensor again = load_tensors(path(), {.placement = Placement::kAssign})["t"];
  again.mul_(2);
  EXPECT_TRUE(torch::equal(load_tensors(path())["t"], tensor));
}

TEST_F(TensorsTest, ByPrefixAndRole) {
  save_tensors(path(),
               {{"a.x", torch::ones({1})}, {"a.y", torch::ones({1})}, {"b", torch::ones({1})}},
               quick());
  EXPECT_EQ(load_tensors(path(), {.prefix = "a."}).keys(),
            (std::vector<std::string>{"a.x", "a.y"}));
  EXPECT_EQ(load_tensors(path(), {.role = Role::kBuffer}).size(), 0U);
}

TEST_F(TensorsTest, RefusesWhatHasNoDenseMemory) {
  const std::array tensors = {torch::ones({2, 2}).to_sparse(), torch::empty({2}, torch::kMeta),
                              Tensor()};
  for (const Tensor& tensor : tensors) {
    const auto attempt = [&] { out_and_back(tensor); };
    EXPECT_EQ(code_of(attempt), Code::kUnsupported);
    EXPECT_FALSE(std::filesystem::exists(path()));
  }
}

TEST_F(TensorsTest, DamageIsNamed) {
  save_tensors(path(), {{"good", torch::ones({5000})}, {"bad", torch::zeros({5000})}}, quick());
  const Checkpoint checkpoint = *Checkpoint::open(path());
  const std::uint64_t at = checkpoint.storage(checkpoint.find("bad")->storage).offset + 100;
  std::FILE* file = std::fopen(path().c_str(), "r+b");
  ASSERT_EQ(std::fseek(file, static_cast<long>(at), SEEK_SET), 0);
  std::fputc(1, file);
  std::fclose(file);
  for (const Proof proof : {Proof::kBefore, Proof::kDuring}) {
    for (const Placement placement : {Placement::kInPlace, Placement::kAssign}) {
      try {
        load_tensors(path(), {.placement = placement, .proof = proof});
        FAIL() << "no error";
      } catch (const Error& error) {
        EXPECT_EQ(error.status().code(), Code::kChecksumMismatch);
        EXPECT_EQ(error.status().location().tensor, "bad");
      }
    }
  }
  EXPECT_TRUE((load_tensors(path(), {.prefix = "good"})["good"] == 1).all().item<bool>());
  EXPECT_EQ(load_tensors(path(), {.proof = Proof::kNone}).size(), 2U);
}

}  // namespace
}  // namespace ingot::libtorch::testing
