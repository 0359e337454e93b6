// Rules F-50 to F-65: one case for every way to break them.
#include <limits>

#include "tests/format/validation_fixture.h"

namespace ingot::format {
namespace {

using ValidateTensor = Validation;
using Tensor = HostileIndex::Tensor;
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

// F-50
TEST_F(ValidateTensor, Names) {
  const std::vector<std::string> bad = {
      "",
      std::string(1025, 'a'),
      std::string("a\0b", 3),
      std::string("abcdefgh\0", 9),
      "tab\there",
      "12345678\x1F",
      "12345678\x7F",
      "\x7F"
      "12345678",
      "\x80",
      "\xC0\xAF",          // overlong
      "\xED\xA0\x80",      // surrogate
      "\xF4\x90\x80\x80",  // above U+10FFFF
      "12345678\xC3",      // cut off
      "1234567\xC3\xA9\xA9",
  };
  for (const std::string& name : bad) {
    expect_rejected("F-50", [&](HostileIndex& index) { index.rename(2, name); });
  }
  for (const std::string& name :
       {std::string("a"), std::string(1024, 'a'), std::string("a b~"),
        std::string("\xC2\x80 C1 controls are allowed"), std::string("\xF4\x8F\xBF\xBF"),
        std::string("1234567\xC3\xA9")}) {
    expect_accepted([&](HostileIndex& index) { index.rename(2, name); });
  }
}

// F-51
TEST_F(ValidateTensor, ElementTypes) {
  for (const std::uint8_t dtype : std::initializer_list<std::uint8_t>{0, 49, 128, 255}) {
    expect_tensor_rejected("F-51", "exp_avg", [&](Tensor& tensor) { tensor.dtype = dtype; });
  }
}

// F-52
TEST_F(ValidateTensor, Roles) {
  for (const std::uint8_t role : std::initializer_list<std::uint8_t>{0, 5, 6, 255}) {
    expect_tensor_rejected("F-52", "exp_avg", [&](Tensor& tensor) { tensor.role = role; });
  }
}

// F-53
TEST_F(ValidateTensor, RequiresGradIsABool) {
  for (const std::uint8_t value : std::initializer_list<std::uint8_t>{2, 255}) {
    expect_tensor_rejected("F-53", "exp_avg",
                           [&](Tensor& tensor) { tensor.requires_grad = value; });
  }
  expect_accepted([](HostileIndex& index) { tensor(index, "exp_avg").requires_grad = 1; });
}

// F-54
TEST_F(ValidateTensor, StoragesExist) {
  const auto count = static_cast<std::uint32_t>(HostileFile::rich().index.storages.size());
  for (const std::uint32_t storage : {count, ~0u}) {
    expect_tensor_rejected("F-54", "exp_avg", [&](Tensor& tensor) { tensor.storage = storage; });
    expect_tensor_rejected("F-54", "channels",
                           [&](Tensor& tensor) { tensor.quantization->scales = storage; });
    expect_tensor_rejected("F-54", "channels",
                           [&](Tensor& tensor) { tensor.quantization->zero_points = storage; });
  }
}

// F-55
TEST_F(ValidateTensor, Rank) {
  expect_tensor_rejected("F-55", "running_mean",
                         [](Tensor& tensor) { tensor.shape = std::vector<std::int64_t>(65, 1); });
  expect_accepted([](HostileIndex& index) {
    tensor(index, "running_mean").shape = std::vector<std::int64_t>(64, 1);
  });
}

// F-56
TEST_F(ValidateTensor, ShapesFit) {
  const std::vector<std::vector<std::int64_t>> bad = {{-1},
                                                      {3, -1},
                                                      {0, -1},
                                                      {kMax},
                                                      {kMax, kMax},
                                                      {-1, -1, 2},
                                                      {0, kMax, kMax},
                                                      {std::int64_t{1} << 62},
                                                      {1 << 30, 1 << 30, 1 << 30}};
  for (const auto& shape : bad) {
    expect_tensor_rejected("F-56", "running_mean", [&](Tensor& tensor) { tensor.shape = shape; });
  }
}

// F-56
TEST_F(ValidateTensor, StridesFit) {
  const std::vector<std::vector<std::int64_t>> bad = {
      {-1, 2}, {1, -2}, {kMax, 1}, {kMax, kMax}, {1, std::int64_t{1} << 60}};
  for (const auto& strides : bad) {
    expect_tensor_rejected("F-56", "conv.weight",
                           [&](Tensor& tensor) { tensor.strides = strides; });
  }
}

// F-56 counts bits, so that a reader may: a storage of 2^62 bytes, by its header alone.
TEST_F(ValidateTensor, BitsOfAHugeTensorFit) {
  constexpr std::uint64_t kBytes = std::uint64_t{1} << 62;
  HostileFile file = HostileFile::minimal();
  file.index.storages = {{.offset = 4096, .bytes = kBytes}};
  for (const std::string name : {"short", "long enough for the fast path"}) {
    for (const std::int64_t dimension : {(std::int64_t{1} << 61) - 1, std::int64_t{1} << 61}) {
      HostileIndex::Tensor huge;
      huge.name = name;
      huge.shape = {{dimension}};
      file.index.tensors = {huge};
      file.index.fix_names();
      const std::vector<std::byte> bytes = file.index_bytes();
      Header header = file.make_header();
      header.data_end = 4096 + kBytes;
      header.chunk_log2 = 30;
      header.digests_bytes = (kBytes >> 30) * kDigestBytes;
      const Status status = testing::validate_index_copy(bytes, header);
      if (dimension < std::int64_t{1} << 61) {
        EXPECT_THAT(status, IsOk());
      } else {
        EXPECT_THAT(status, StatusIs(Code::kRejected, HasSubstr("F-56")));
      }
    }
  }
}

// F-57
TEST_F(ValidateTensor, PackedTypes) {
  expect_tensor_rejected("F-57", "packed", [](Tensor& tensor) { tensor.shape = {{3}}; });
  expect_tensor_rejected("F-57", "packed", [](Tensor& tensor) { tensor.shape.reset(); });
  expect_tensor_rejected("F-57", "packed", [](Tensor& tensor) { tensor.strides = {{1, 3}}; });
}

// F-58
TEST_F(ValidateTensor, Strides) {
  expect_tensor_rejected("F-58", "conv.weight", [](Tensor& tensor) { tensor.strides = {{1}}; });
  expect_tensor_rejected("F-58", "conv.weight", [](Tensor& tensor) {
    tensor.strides = {{1, 2, 3}};
  });
  expect_tensor_rejected("F-58", "conv.weight", [](Tensor& tensor) { tensor.strides = {{3, 1}}; });
  expect_tensor_rejected("F-58", "num_batches", [](Tensor& tensor) { tensor.strides = {{1}}; });
}

// F-59
TEST_F(ValidateTensor, OffsetsAreAligned) {
  for (const std::uint64_t offset : {1u, 2u, 3u, 15u}) {
    expect_tensor_rejected("F-59", "conv.row",
                           [&](Tensor& tensor) { tensor.byte_offset = offset; });
  }
  expect_accepted([](HostileIndex& index) { tensor(index, "conv.row").byte_offset = 12; });
  expect_tensor_rejected("F-59", "embed.weight", [](Tensor& tensor) { tensor.byte_offset = 1; });
}

// F-60
TEST_F(ValidateTensor, TensorsLieWithinTheirStorage) {
  expect_tensor_rejected("F-60", "running_mean", [](Tensor& tensor) { tensor.shape = {{4}}; });
  expect_tensor_rejected("F-60", "running_mean", [](Tensor& tensor) { tensor.byte_offset = 4; });
  expect_tensor_rejected("F-60", "conv.row", [](Tensor& tensor) { tensor.byte_offset = 20; });
  expect_tensor_rejected("F-60", "conv.row", [](Tensor& tensor) { tensor.byte_offset = ~3ull; });
  expect_tensor_rejected("F-60", "conv.weight", [](Tensor& tensor) { tensor.strides = {{1, 3}}; });
  expect_tensor_rejected("F-60", "empty", [](Tensor& tensor) { tensor.byte_offset = 4; });
}

// F-61
TEST_F(ValidateTensor, QuantisationGoesWithQuantisedTypes) {
  expect_tensor_rejected("F-61", "quantised", [](Tensor& tensor) { tensor.quantization.reset(); });
  expect_tensor_rejected("F-61", "exp_avg", [](Tensor& tensor) {
    tensor.quantization = HostileIndex::Quantization{};
  });
}

// F-62
TEST_F(ValidateTensor, QuantisationSchemes) {
  for (const std::uint8_t scheme : std::initializer_list<std::uint8_t>{0, 4, 255}) {
    expect_tensor_rejected("F-62", "channels",
                           [&](Tensor& tensor) { tensor.quantization->scheme = scheme; });
  }
}

// F-63
TEST_F(ValidateTensor, PerTensorQuantisationHasNoChannels) {
  expect_tensor_rejected("F-63", "quantised", [](Tensor& t) { t.quantization->axis = 1; });
  expect_tensor_rejected("F-63", "quantised", [](Tensor& t) { t.quantization->scales = 1; });
  expect_tensor_rejected("F-63", "quantised", [](Tensor& t) { t.quantization->zero_points = 1; });
}

// F-64
TEST_F(ValidateTensor, PerChannelQuantisationHasAnAxisAndNothingElse) {
  for (const std::int32_t axis : {-1, 2, std::numeric_limits<std::int32_t>::min()}) {
    expect_tensor_rejected("F-64", "channels", [&](Tensor& t) { t.quantization->axis = axis; });
  }
  expect_tensor_rejected("F-64", "channels", [](Tensor& t) { t.quantization->scale = 0.5; });
  expect_tensor_rejected("F-64", "channels", [](Tensor& t) {
    t.quantization->scale = std::numeric_limits<double>::quiet_NaN();
  });
  expect_tensor_rejected("F-64", "channels", [](Tensor& t) { t.quantization->zero_point = 1; });
}

// F-65
TEST_F(ValidateTensor, QuantisationParametersAreAsManyAsChannels) {
  expect_tensor_rejected("F-65", "channels", [](Tensor& t) { t.quantization->axis = 1; });
  expect_tensor_rejected("F-65", "channels", [](Tensor& t) { t.quantization->scheme = 3; });
  // An empty tensor may have 2^61 channels, whose scales would take 2^64 bytes.
  expect_tensor_rejected("F-65", "channels", [](Tensor& t) {
    t.shape = {{std::int64_t{1} << 60, 0}};
    t.quantization->scheme = 2;
  });
}

}  // namespace
}  // namespace ingot::format
