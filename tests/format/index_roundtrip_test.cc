// encode_index() -> validate_index() -> IndexView.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <random>
#include <set>

#include "format/digest.h"
#include "format/index_model.h"
#include "format/index_view.h"
#include "format/validate.h"
#include "tests/support/hostile_index.h"
#include "tests/support/index_plan.h"
#include "tests/support/status_matchers.h"

namespace ingot::format {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::HostileFile;
using testing::IndexDraft;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::plan;
using testing::rich_draft;
using testing::StatusIs;

// An encoded draft, validated, with a view of it.
class Encoded {
 public:
  explicit Encoded(const IndexDraft& draft) : model(plan(draft)) {
    auto encoded = encode_index(model);
    EXPECT_THAT(encoded, IsOk());
    bytes = *std::move(encoded);
    file = HostileFile::from(draft);
    file.raw_index = bytes;
    EXPECT_THAT(file.validate_index(), IsOk());
    EXPECT_THAT(check_canonical(bytes, "x"), IsOk());
    view = IndexView(bytes);
  }
  TensorInfo find(std::string_view name) const {
    const auto ordinal = view.find(name);
    EXPECT_TRUE(ordinal) << name;
    return view.tensor(ordinal.value_or(0));
  }

  IndexModel model;
  HostileFile file;
  std::vector<std::byte> bytes;
  IndexView view;
};

void expect_same_tensor(const TensorInfo& info, const IndexModel::Tensor& tensor) {
  EXPECT_EQ(info.name, tensor.name);
  EXPECT_EQ(info.dtype, tensor.dtype);
  EXPECT_EQ(info.role, tensor.role);
  EXPECT_EQ(info.requires_grad, tensor.requires_grad);
  EXPECT_EQ(info.storage, tensor.storage);
  EXPECT_EQ(info.byte_offset, tensor.byte_offset);
  EXPECT_EQ(std::vector<std::int64_t>(info.shape.begin(), info.shape.end()), tensor.shape);
  EXPECT_EQ(std::vector<std::int64_t>(info.strides.begin(), info.strides.end()), tensor.strides);
  EXPECT_EQ(info.quantization, tensor.quantization);
}

TEST(IndexRoundTrip, EveryFieldComesBack) {
  const Encoded e(rich_draft());
  ASSERT_EQ(e.view.tensor_count(), e.model.tensors.size());
  for (std::uint32_t i = 0; i < e.view.tensor_count(); ++i) {
    expect_same_tensor(e.view.tensor(i), e.model.tensors[i]);
    EXPECT_EQ(e.view.tensor(i).ordinal, i);
    EXPECT_EQ(e.view.find(e.model.tensors[i].name), i);
  }
  ASSERT_EQ(e.view.storage_count(), e.model.storages.size());
  for (std::uint32_t i = 0; i < e.view.storage_count(); ++i) {
    const StorageInfo info = e.view.storage(i, 65536);
    EXPECT_EQ(info.offset, e.model.storages[i].offset);
    EXPECT_EQ(info.bytes, e.model.storages[i].bytes);
    EXPECT_EQ(info.first_chunk, e.model.storages[i].first_chunk);
    EXPECT_EQ(info.chunks, (info.bytes + 65535) / 65536);
    EXPECT_EQ(info.file, 0u);
    EXPECT_EQ(e.view.section_of_storage(i), e.model.storages[i].role);
  }
}

TEST(IndexRoundTrip, SpecialTensors) {
  const Encoded e(rich_draft());
  EXPECT_EQ(e.find("embed.weight").storage, e.find("lm_head.weight").storage) << "tied";
  EXPECT_TRUE(e.find("embed.weight").requires_grad);
  EXPECT_EQ(e.find("conv.weight").bytes, 24u);
  EXPECT_FALSE(e.find("conv.weight").is_contiguous());
  EXPECT_EQ(e.find("conv.row").byte_offset, 16u);
  EXPECT_THAT(e.find("num_batches").shape, IsEmpty());
  EXPECT_EQ(e.find("num_batches").bytes, 8u);
  EXPECT_EQ(e.find("empty").bytes, 0u);
  EXPECT_EQ(e.find("packed").bytes, 3u);
  EXPECT_EQ(e.find("quantised").quantization->scale, 0.25);
  EXPECT_EQ(e.find("channels").quantization->scheme, QuantizationScheme::kPerChannelAffine);
}

TEST(IndexRoundTrip, StoragesLieByRole) {
  const Encoded e(rich_draft());
  std::uint8_t role = 0;
  for (const auto& storage : e.model.storages) {
    EXPECT_GE(storage.role, role);
    role = storage.role;
  }
  EXPECT_EQ(role, 5);
}

TEST(IndexRoundTrip, StorageAtFindsTheOneBefore) {
  const Encoded e(rich_draft());
  EXPECT_EQ(e.view.storage_at(0), std::nullopt);
  EXPECT_EQ(e.view.storage_at(4095), std::nullopt);
  for (std::uint32_t i = 0; i < e.view.storage_count(); ++i) {
    const StorageInfo info = e.view.storage(i, 65536);
    if (info.bytes == 0) continue;
    EXPECT_EQ(e.view.storage_at(info.offset), i);
    EXPECT_EQ(e.view.storage_at(info.offset + info.bytes - 1), i);
  }
  EXPECT_EQ(e.view.storage_at(~std::uint64_t{0}), e.view.storage_count() - 1);
}

TEST(IndexRoundTrip, OwnersOfStorages) {
  const Encoded e(rich_draft());
  const TensorInfo channels = e.find("channels");
  EXPECT_EQ(e.view.owner_of_storage(e.find("embed.weight").storage), "embed.weight");
  EXPECT_EQ(e.view.owner_of_storage(channels.quantization->scales_storage), "channels");
  EXPECT_EQ(e.view.owner_of_storage(channels.quantization->zero_points_storage), "channels");
  EXPECT_EQ(e.view.owner_of_storage(e.view.attachment(0).storage), "config.json");
  EXPECT_EQ(e.view.owner_of_storage(9999), "");
}

TEST(IndexRoundTrip, AttachmentsInOrderOfNames) {
  const Encoded e(rich_draft());
  ASSERT_EQ(e.view.attachment_count(), 2u);
  EXPECT_EQ(e.view.attachment(0).name, "config.json");
  EXPECT_EQ(e.view.attachment(0).media_type, "application/json");
  EXPECT_EQ(e.view.attachment(0).bytes, 10u);
  EXPECT_EQ(e.view.attachment(1).name, "tokenizer.json");
  EXPECT_EQ(e.view.attachment(1).bytes, 1000u);
}

TEST(IndexRoundTrip, NothingAtAll) {
  const Encoded e(IndexDraft{});
  EXPECT_EQ(e.view.tensor_count(), 0u);
  EXPECT_EQ(e.view.storage_count(), 0u);
  EXPECT_EQ(e.view.attachment_count(), 0u);
  EXPECT_EQ(e.view.find("x"), std::nullopt);
  EXPECT_EQ(e.view.find(""), std::nullopt);
  EXPECT_FALSE(e.view.state());
  EXPECT_EQ(e.view.storage_at(5000), std::nullopt);
  EXPECT_LE(e.bytes.size(), 72u);
}

TEST(IndexRoundTrip, LongestNameAndHighestRank) {
  IndexDraft draft;
  draft.tensor(std::string(1024, 'n'), DType::kUInt8, std::vector<std::int64_t>(64, 1));
  draft.tensor("\xF0\x9F\xA6\x80", DType::kUInt8, {1});
  const Encoded e(draft);
  EXPECT_EQ(e.find(std::string(1024, 'n')).shape.size(), 64u);
  EXPECT_EQ(e.find("\xF0\x9F\xA6\x80").ordinal, 1u);
}

TEST(IndexRoundTrip, EveryElementType) {
  IndexDraft draft;
  for (std::uint8_t number = kFirstDType; number <= kLastDType; ++number) {
    const auto dtype = static_cast<DType>(number);
    auto& tensor = draft.tensor(std::string(dtype_name(dtype)), dtype, {4, 4});
    if (is_quantized(dtype)) tensor.quantization = Quantization{};
  }
  const Encoded e(draft);
  for (std::uint8_t number = kFirstDType; number <= kLastDType; ++number) {
    EXPECT_EQ(e.find(dtype_name(static_cast<DType>(number))).dtype, static_cast<DType>(number));
  }
}

TEST(IndexRoundTrip, ScaleKeepsEveryBit) {
  IndexDraft draft;
  for (const double scale : {-0.0, 0.0, std::bit_cast<double>(0x7FF8000000000001u)}) {
    draft.tensor(std::to_string(draft.model.tensors.size()), DType::kQInt8, {1}).quantization =
        Quantization{.scale = scale};
  }
  const Encoded e(draft);
  for (std::uint32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(e.view.tensor(i).quantization->scale),
              std::bit_cast<std::uint64_t>(e.model.tensors[i].quantization->scale));
  }
}

TEST(IndexRoundTrip, EqualModelsMakeEqualBytes) {
  const Encoded a(rich_draft());
  const Encoded b(rich_draft());
  EXPECT_EQ(a.bytes, b.bytes);
  EXPECT_EQ(a.bytes.size() % 8, 0u);
}

// The hostile encoder writes what encode_index() writes, so that tests change one thing at a time.
TEST(IndexRoundTrip, HostileEncoderIsCanonicalUntilItIsTold) {
  EXPECT_EQ(HostileFile::rich().index.encode(), Encoded(rich_draft()).bytes);
  EXPECT_EQ(HostileFile::minimal().index.encode(), Encoded(IndexDraft{}).bytes);
}

// Names with the same beginning, many enough for every branch of the interpolation.
TEST(IndexFind, EveryNameAndNoOther) {
  IndexDraft draft;
  for (int i = 0; i < 5000; ++i) {
    draft.tensor("model.layers." + std::to_string(i) + ".weight", DType::kUInt8, {1});
  }
  const Encoded e(draft);
  for (std::uint32_t i = 0; i < 5000; ++i) {
    ASSERT_EQ(e.view.find(e.model.tensors[i].name), i);
    ASSERT_EQ(e.view.find(e.model.tensors[i].name + "x"), std::nullopt);
  }
}

// Hashes that are anything but evenly spread: the look-up must still end, and find.
TEST(IndexFind, UnevenHashes) {
  std::vector<std::string> names;
  for (int i = 0; names.size() < 300; ++i) {
    std::string name = "n" + std::to_string(i);
    // Only hashes from two narrow bands.
    const std::uint64_t hash = xxh3_64(as_bytes(name));
    if ((hash >> 56) < 2 || (hash >> 56) == 0xFF) names.push_back(std::move(name));
  }
  IndexDraft draft;
  for (const auto& name : names) draft.tensor(name, DType::kUInt8, {1});
  const Encoded e(draft);
  for (std::uint32_t i = 0; i < names.size(); ++i) ASSERT_EQ(e.view.find(names[i]), i);
  EXPECT_EQ(e.view.find("absent"), std::nullopt);
}

TEST(IndexEncode, RefusesUnknownTensorsInTheState) {
  IndexModel model;
  model.state = StateValue::tensor("nowhere");
  EXPECT_THAT(encode_index(model), StatusIs(Code::kInvalidArgument, HasSubstr("nowhere")));
}

TEST(IndexEncode, RefusesIndexesOverTheBound) {
  const IndexModel model = plan(rich_draft());
  const std::uint64_t bytes = encode_index(model)->size();
  EXPECT_THAT(encode_index(model, 100'000), IsOk());
  EXPECT_THAT(encode_index(model, bytes - 1),
              StatusIs(Code::kInvalidArgument, HasSubstr("too large")));
}

// Random valid models: all are accepted, come back and are canonical.
class RandomModel {
 public:
  explicit RandomModel(std::uint64_t seed) : random_(seed) {}

  IndexDraft make() {
    const std::size_t tensors = below(40);
    for (std::size_t i = 0; i < tensors; ++i) add_tensor(i);
    for (std::size_t i = below(4); i-- > 0;) {
      draft_.attachment("file" + std::to_string(i), "text/plain", below(100'000));
    }
    if (below(2) == 0) draft_.model.state = value(0);
    draft_.alignment_log2 = 12 + static_cast<std::uint32_t>(below(10));
    return std::move(draft_);
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  void add_tensor(std::size_t i) {
    auto dtype = static_cast<DType>(kFirstDType + below(kLastDType));
    std::vector<std::int64_t> shape;
    for (std::size_t rank = below(4); rank-- > 0;) {
      shape.push_back(static_cast<std::int64_t>(below(9)));
    }
    if (dtype_bits(dtype) % 8 != 0) shape.push_back(4);
    const auto role = static_cast<Role>(1 + below(4));
    auto& tensor = draft_.tensor("t" + std::to_string(i * 7), dtype, shape, role);
    tensor.requires_grad = below(2) == 0;
    if (is_quantized(dtype)) quantise(tensor);
    if (below(4) == 0) view_of_another(tensor);
  }

  void quantise(IndexModel::Tensor& tensor) {
    Quantization q{.scale = 0.5, .zero_point = -3};
    if (!tensor.shape.empty() && below(2) == 0) {
      const std::size_t axis = below(tensor.shape.size());
      const std::uint64_t element = below(2) == 0 ? 8 : 4;
      const std::uint64_t bytes = element * static_cast<std::uint64_t>(tensor.shape[axis]);
      q = {.scheme = element == 8 ? QuantizationScheme::kPerChannelAffine
                                  : QuantizationScheme::kPerChannelAffineFloatQParams,
           .axis = static_cast<std::int32_t>(axis),
           .scales_storage = draft_.storage(bytes),
           .zero_points_storage = draft_.storage(bytes)};
    }
    tensor.quantization = q;
  }

  // A strided view into a storage that is large enough for it.
  void view_of_another(IndexModel::Tensor& tensor) {
    if (dtype_bits(tensor.dtype) % 8 != 0 || tensor.shape.empty()) return;
    tensor.byte_offset = 16 * below(8);
    if (below(2) == 0)
      tensor.storage = draft_.model.tensors[below(draft_.model.tensors.size())].storage;
    if (below(2) == 0) {
      std::int64_t stride = 2;
      for (const std::int64_t dimension : tensor.shape) {
        tensor.strides.push_back(stride);
        stride *= std::max<std::int64_t>(dimension, 1);
      }
    }
    const std::uint64_t element = static_cast<std::uint64_t>(dtype_bits(tensor.dtype)) / 8;
    std::uint64_t& bytes = draft_.storage_bytes[tensor.storage];
    bytes = std::max<std::uint64_t>(bytes, tensor.byte_offset + element * 4 * 9 * 9 * 9);
  }

  StateValue value(int depth) {
    switch (below(depth < 6 ? 10 : 6)) {
      case 0:
        return StateValue::null();
      case 1:
        return StateValue::boolean(below(2) == 0);
      case 2:
        return StateValue::integer(static_cast<std::int64_t>(random_()));
      case 3:
        return StateValue::real(std::bit_cast<double>(random_()));
      case 4:
        return StateValue::string(std::string(below(20), 's'));
      case 5:
        return StateValue::bytes(std::vector<std::byte>(below(20), std::byte{7}));
      case 6:
        return children(StateValue::list(), depth);
      case 7:
        return children(StateValue::tuple(), depth);
      case 8:
        return dict(depth);
      default:
        if (draft_.model.tensors.empty()) return StateValue::null();
        return StateValue::tensor(draft_.model.tensors[below(draft_.model.tensors.size())].name);
    }
  }
  StateValue children(StateValue parent, int depth) {
    for (std::uint64_t i = below(5); i-- > 0;) parent.append(value(depth + 1));
    return parent;
  }
  StateValue dict(int depth) {
    StateValue parent = StateValue::dict();
    // Now and then more keys than the validator compares on its stack.
    const std::uint64_t count = below(8) == 0 ? 100 : below(5);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto number = static_cast<std::int64_t>(below(1000));
      const StateKey key = below(2) == 0 ? StateKey(number) : StateKey(std::to_string(number));
      parent.set(key, count == 100 ? StateValue::integer(1) : value(depth + 1));
    }
    return parent;
  }

  std::mt19937_64 random_;
  IndexDraft draft_;
};

TEST(IndexRoundTrip, RandomModels) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(seed);
    const Encoded e(RandomModel(seed).make());
    ASSERT_EQ(e.view.tensor_count(), e.model.tensors.size());
    for (std::uint32_t i = 0; i < e.view.tensor_count(); ++i) {
      expect_same_tensor(e.view.tensor(i), e.model.tensors[i]);
      ASSERT_EQ(e.view.find(e.model.tensors[i].name), i);
    }
    ASSERT_EQ(e.view.state().has_value(), e.model.state.has_value());
    if (HasFailure()) break;
  }
}

}  // namespace
}  // namespace ingot::format
