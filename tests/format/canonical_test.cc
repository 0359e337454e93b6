// F-38: indexes that pass every other rule and are not what a writer writes.
#include <cstring>

#include "format/validate.h"
#include "tests/format/validation_fixture.h"

namespace ingot::format {
namespace {

using testing::IndexDraft;

// Passes validation, and only check_canonical() sees the difference.
void expect_only_uncanonical(const HostileFile& file) {
  EXPECT_THAT(file.validate_index(), IsOk());
  const std::vector<std::byte> bytes = file.index_bytes();
  EXPECT_THAT(check_canonical(bytes, "test.ingot"),
              StatusIs(Code::kRejected, HasSubstr("test.ingot: F-38: ")));
}

TEST(Canonical, AcceptsWhatAWriterWrites) {
  EXPECT_THAT(check_canonical(HostileFile::rich().index_bytes(), "x"), IsOk());
  EXPECT_THAT(check_canonical(HostileFile::minimal().index_bytes(), "x"), IsOk());
}

TEST(Canonical, TrailingBytes) {
  HostileFile file = HostileFile::rich();
  std::vector<std::byte> bytes = file.index_bytes();
  bytes.resize(bytes.size() + 8);
  file.raw_index = std::move(bytes);
  expect_only_uncanonical(file);
}

// Bytes that no field of the schema is made of: a channel for hidden content.
TEST(Canonical, EveryByteCounts) {
  HostileFile file = HostileFile::rich();
  std::vector<std::byte> bytes = file.index_bytes();
  int unread = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] ^= std::byte{0x40};
    file.raw_index = bytes;
    if (file.validate_index().ok() && !check_canonical(bytes, "x").ok()) ++unread;
    bytes[i] ^= std::byte{0x40};
  }
  EXPECT_GT(unread, 0) << "padding, vtables";
}

TEST(Canonical, SharedVectors) {
  // Two tensors with one shape, where long names leave room in the alias budget.
  IndexDraft draft;
  draft.tensor("a", DType::kUInt8, {1, 2});
  draft.tensor("b", DType::kUInt8, {1, 2});
  HostileFile file = HostileFile::from(draft);
  file.index.share_shapes = true;
  expect_only_uncanonical(file);
}

}  // namespace
}  // namespace ingot::format
