// Indexes that are small and claim much: the time and memory they may take.
#include <sys/resource.h>

#include <cstring>
#include <set>

#include "format/digest.h"
#include "format/index_view.h"
#include "tests/format/validation_fixture.h"
#include "tests/support/colliding_names.h"

namespace ingot::format {
namespace {

using testing::colliding_name;
using testing::IndexDraft;
using testing::validate_index_copy;
using Node = HostileIndex::StateNode;

std::size_t peak_rss_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

// F-32: 4,000,000 references to one string of 16 MiB pass the Verifier in milliseconds and would
// be 67 TB to read.
TEST(AliasBudget, StringBomb) {
  HostileFile file = HostileFile::minimal();
  file.index.state.emplace();
  file.index.state->nodes = {Node{.kind = 4}};
  file.index.state->strings = {std::string(16 << 20, 'x')};
  file.index.repeat_string = 4'000'000;
  const std::vector<std::byte> bytes = file.index_bytes();
  EXPECT_LT(bytes.size(), 34u << 20);
  const Header header = file.make_header();
  const std::size_t before = peak_rss_bytes();
  EXPECT_THAT(validate_index_copy(bytes, header), StatusIs(Code::kRejected, HasSubstr("F-32")));
  EXPECT_LE(peak_rss_bytes() - before, bytes.size() + (16u << 20)) << "the copy, and little else";
}

// F-32
TEST(AliasBudget, BlobBomb) {
  HostileFile file = HostileFile::minimal();
  file.index.state.emplace();
  file.index.state->nodes = {Node{.kind = 5}};
  file.index.state->blobs = {std::string(1 << 20, 'x')};
  file.index.repeat_blob = 10'000;
  EXPECT_THAT(file.validate_index(), StatusIs(Code::kRejected, HasSubstr("F-32")));
}

// F-32: a million tensors that are one table. (Verifiers count tables, so F-30 may come first.)
TEST(AliasBudget, TensorBomb) {
  IndexDraft draft;
  draft.tensor(std::string(1000, 'n'), DType::kUInt8, {1});
  HostileFile file = HostileFile::from(draft);
  file.index.repeat_tensor = 999'999;
  file.index.name_hashes->resize(1'000'000, file.index.name_hashes->front());
  file.index.name_tensors->resize(1'000'000, 0);
  EXPECT_THAT(file.validate_index(), StatusIs(Code::kRejected, HasSubstr("F-32")));
}

// F-32: one shape for all tensors.
TEST(AliasBudget, SharedShapes) {
  IndexDraft draft;
  for (int i = 0; i < 1000; ++i) {
    draft.tensor(std::to_string(i), DType::kUInt8, std::vector<std::int64_t>(64, 1));
  }
  HostileFile file = HostileFile::from(draft);
  EXPECT_THAT(file.validate_index(), IsOk());
  file.index.share_shapes = true;
  EXPECT_THAT(file.validate_index(), StatusIs(Code::kRejected, HasSubstr("F-32")));
}

// F-32: shapes differ, strides are one.
TEST(AliasBudget, SharedStrides) {
  IndexDraft draft;
  for (std::int64_t i = 0; i < 500; ++i) {
    std::vector<std::int64_t> shape(64, 1);
    shape[0] = i + 1;
    auto& tensor = draft.tensor(std::to_string(i), DType::kUInt8, shape);
    tensor.strides = std::vector<std::int64_t>(64, 7);
    draft.storage_bytes[tensor.storage] = static_cast<std::uint64_t>(1 + 7 * i);
  }
  HostileFile file = HostileFile::from(draft);
  EXPECT_THAT(file.validate_index(), IsOk());
  file.index.share_shapes = true;
  EXPECT_THAT(file.validate_index(), StatusIs(Code::kRejected, HasSubstr("F-32")));
}

// What docs/format.md says under F-32, written down once more.
std::uint64_t referred_bytes(const HostileIndex& index) {
  const std::uint64_t tensors = index.tensors.size();
  auto vector = [](std::uint64_t count, std::uint64_t element) { return 4 + count * element; };
  auto string = [](const std::string& text) { return 4 + std::uint64_t{text.size()} + 1; };
  std::uint64_t sum = 4 + vector(tensors, 4) + vector(index.storages.size(), 32) +
                      vector(tensors, 8) + vector(tensors, 4);
  for (const auto& tensor : index.tensors) {
    sum += 4 + string(*tensor.name);
    if (tensor.shape) sum += vector(tensor.shape->size(), 8);
    if (tensor.strides) sum += vector(tensor.strides->size(), 8);
    if (tensor.quantization) sum += 4;
  }
  sum += vector(index.attachments->size(), 4);
  for (const auto& attachment : *index.attachments) {
    sum += 4 + string(attachment.name) + string(attachment.media_type);
  }
  const auto& state = *index.state;
  sum += 4 + vector(state.nodes.size(), 24);
  sum += vector(state.strings->size() + index.repeat_string, 4);
  for (const auto& text : *state.strings) sum += string(text);
  sum += index.repeat_string * string(state.strings->back());
  sum += vector(state.blobs->size() + index.repeat_blob, 4);
  for (const auto& blob : *state.blobs) sum += 4 + vector(blob.size(), 1);
  sum += index.repeat_blob * (4 + vector(state.blobs->back().size(), 1));
  return sum;
}

// F-32, to the byte: refused exactly when the sum is over the length. (Within the budget, repeated
// strings and blobs are refused for not being used: F-96, F-97.)
TEST(AliasBudget, IsExact) {
  std::set<std::int64_t> over;
  for (std::uint32_t strings = 1; strings < 3; ++strings) {
    for (std::uint32_t blobs = 0; blobs < 2; ++blobs) {
      for (std::size_t length = 1; length < 600; ++length) {
        HostileFile file = HostileFile::rich();
        file.index.state->strings->back() = std::string(length, 's');
        file.index.repeat_string = strings;
        file.index.repeat_blob = blobs;
        const std::uint64_t bytes = file.index_bytes().size();
        const std::uint64_t sum = referred_bytes(file.index);
        over.insert(static_cast<std::int64_t>(sum) - static_cast<std::int64_t>(bytes));
        const Status status = file.validate_index();
        ASSERT_EQ(sum > bytes, status.message().find("F-32") != std::string_view::npos)
            << sum << " of " << bytes << ": " << status.to_string();
      }
    }
  }
  EXPECT_TRUE(over.contains(0)) << "exactly the length; nearest " << *over.lower_bound(0);
  EXPECT_TRUE(over.contains(1)) << "one more";
}

// F-30: more tables than the index has room for.
TEST(VerifierLimits, TableBomb) {
  IndexDraft draft;
  draft.tensor("n", DType::kUInt8, {1});
  HostileFile file = HostileFile::from(draft);
  file.index.repeat_tensor = 100'000;
  EXPECT_THAT(file.validate_index(), StatusIs(Code::kRejected, HasSubstr("F-30")));
}

// F-29, F-30: a claimed count without the bytes for it costs no memory.
TEST(VerifierLimits, ClaimedCounts) {
  const HostileFile file = HostileFile::rich();
  std::vector<std::byte> bytes = file.index_bytes();
  const Header header = file.make_header();
  // Every aligned word once as a huge count, whatever it is.
  for (std::size_t at = 8; at + 4 <= bytes.size(); at += 4) {
    const auto before = load_le<std::uint32_t>(bytes, at);
    for (const std::uint32_t claim : {0xFFFFFFFFu, 0x7FFFFFFFu, 0x20000000u, 0x80000000u}) {
      store_le(MutableBytes(bytes), at, claim);
      const std::size_t rss = peak_rss_bytes();
      (void)validate_index_copy(bytes, header);
      ASSERT_LE(peak_rss_bytes(), rss + (16u << 20)) << "word at " << at;
    }
    store_le(MutableBytes(bytes), at, before);
  }
}

HostileFile with_colliding_names(int count) {
  IndexDraft draft;
  for (int i = 0; i < count; ++i) draft.tensor(colliding_name(i), DType::kUInt8, {1});
  draft.tensor("ordinary", DType::kUInt8, {1});
  return HostileFile::from(draft);
}

TEST(HashRuns, CollidingNamesCollide) {
  for (int i = 1; i < testing::kCollidingNames; ++i) {
    EXPECT_NE(colliding_name(i), colliding_name(0));
    EXPECT_EQ(xxh3_64(as_bytes(colliding_name(i))), xxh3_64(as_bytes(colliding_name(0))));
  }
}

// F-73: a look-up compares at most eight names.
TEST(HashRuns, EightNamesMayShareAHash) {
  const HostileFile file = with_colliding_names(8);
  ASSERT_THAT(file.validate_index(), IsOk());
  const std::vector<std::byte> bytes = file.index_bytes();
  const IndexView view(bytes);
  for (int i = 0; i < 8; ++i) {
    const auto ordinal = view.find(colliding_name(i));
    ASSERT_TRUE(ordinal);
    EXPECT_EQ(view.tensor(*ordinal).name, colliding_name(i));
  }
  EXPECT_FALSE(view.find(colliding_name(9)));
  EXPECT_THAT(with_colliding_names(9).validate_index(),
              StatusIs(Code::kRejected, HasSubstr("F-73")));
}

// F-71: among equal hashes the names ascend, so that equal names would meet.
TEST(HashRuns, NamesOfEqualHashesAscend) {
  HostileFile file = with_colliding_names(2);
  for (std::size_t i = 0; i < 2; ++i) {
    if ((*file.index.name_hashes)[i] == (*file.index.name_hashes)[i + 1]) {
      std::swap((*file.index.name_tensors)[i], (*file.index.name_tensors)[i + 1]);
    }
  }
  EXPECT_THAT(file.validate_index(), StatusIs(Code::kRejected, HasSubstr("F-71")));
}

// F-95
TEST(HashRuns, EightKeysMayShareAHash) {
  for (const int count : {8, 9}) {
    HostileFile file = HostileFile::minimal();
    file.index.state.emplace();
    auto& state = *file.index.state;
    const auto keys = static_cast<std::uint32_t>(count);
    state.nodes.push_back({.kind = 8, .children = keys, .value = keys});
    state.strings.emplace();
    for (std::uint32_t i = 0; i < keys; ++i) {
      state.nodes.push_back({.key_kind = 2, .key = i});
      state.strings->push_back(colliding_name(static_cast<int>(i)));
    }
    if (count == 8) {
      EXPECT_THAT(file.validate_index(), IsOk());
      state.strings->back() = state.strings->front();
      EXPECT_THAT(file.validate_index(),
                  StatusIs(Code::kRejected, HasSubstr("F-95: a key occurs")));
    } else {
      EXPECT_THAT(file.validate_index(), StatusIs(Code::kRejected, HasSubstr("F-95: too many")));
    }
  }
}

// F-95: dicts with very many keys take no quadratic time (a quadratic check would take minutes).
TEST(StateResources, LargeDictOfNumbers) {
  HostileFile file = HostileFile::minimal();
  constexpr std::uint32_t kKeys = 1'000'000;
  file.index.state.emplace();
  auto& nodes = file.index.state->nodes;
  nodes.push_back({.kind = 8, .children = kKeys, .value = kKeys});
  for (std::uint32_t i = 0; i < kKeys; ++i) nodes.push_back({.key_kind = 1, .key = i * 7919u});
  EXPECT_THAT(file.validate_index(), IsOk());
  nodes.back().key = 0;
  EXPECT_THAT(file.validate_index(), StatusIs(Code::kRejected, HasSubstr("F-95")));
}

// Nested dicts, each counted once: no time in the product of depth and size.
TEST(StateResources, ManyNestedDicts) {
  HostileFile file = HostileFile::minimal();
  file.index.state.emplace();
  auto& nodes = file.index.state->nodes;
  constexpr std::uint32_t kDepth = 63;
  constexpr std::uint32_t kLeaves = 300'000;
  for (std::uint32_t i = 0; i < kDepth; ++i) {
    const bool last = i + 1 == kDepth;
    Node node{.kind = 8,
              .children = last ? kLeaves : 1,
              .value = std::uint64_t{kDepth} - 1 - i + kLeaves};
    if (i > 0) node.key_kind = 1;
    nodes.push_back(node);
  }
  for (std::uint32_t i = 0; i < kLeaves; ++i) nodes.push_back({.key_kind = 1, .key = i});
  EXPECT_THAT(file.validate_index(), IsOk());
}

}  // namespace
}  // namespace ingot::format
