// Every wrong length. F-18
#include "ingot/verify.h"

#include "tests/loader/byte_file_system.h"
#include "tests/loader/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

namespace ingot::testing {
namespace {

using ::testing::HasSubstr;

class TruncationTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WritePlan plan;
    plan.add({.name = "a", .shape = {160, 100}});
    plan.add({.name = "b", .shape = {3}});
    plan.add({.name = "c", .shape = {5, 101}, .role = Role::kOptimizerState});
    ASSERT_OK(write_sample(path_, plan));
    bytes_ = read_file(path_);
    ASSERT_GE(bytes_.size(), 65536U);
  }
  Status open(std::span<const std::byte> bytes) {
    ByteFileSystem memory(bytes);
    return Checkpoint::open("f", {.file_system = &memory}).status();
  }

  Scratch scratch_;
  std::string path_ = scratch_.path("sample.ingot");
  Blob bytes_;
};

TEST_F(TruncationTest, EveryShorterLength) {
  ASSERT_OK(open(bytes_));
  for (std::size_t length = 0; length < bytes_.size(); ++length) {
    const Status status = open(std::span(bytes_).first(length));
    ASSERT_THAT(status, StatusIs(Code::kTruncated)) << length;
    ASSERT_EQ(status.location().region, Region::kFile);
  }
}

TEST_F(TruncationTest, EveryLongerLengthUpToAPageAndAByte) {
  for (const std::byte value : {std::byte{0}, std::byte{0xFF}}) {
    Blob longer = bytes_;
    longer.resize(bytes_.size() + 4097, value);
    for (std::size_t more = 1; more <= 4097; ++more) {
      ASSERT_THAT(open(std::span(longer).first(bytes_.size() + more)), StatusIs(Code::kTruncated))
          << more;
    }
  }
}

TEST_F(TruncationTest, SaysBothLengths) {
  const Status status = open(std::span(bytes_).first(bytes_.size() - 1));
  EXPECT_THAT(status,
              StatusIs(Code::kTruncated, HasSubstr("has " + std::to_string(bytes_.size() - 1) +
                                                   " bytes, its header says " +
                                                   std::to_string(bytes_.size()) + " bytes")));
}

// The same on a real file system, at the borders of pages.
TEST_F(TruncationTest, RealFiles) {
  for (std::size_t page = 0; page <= bytes_.size() / 4096 + 1; ++page) {
    for (std::ptrdiff_t offset : {-1, 0, 1}) {
      const std::ptrdiff_t length = static_cast<std::ptrdiff_t>(page * 4096) + offset;
      if (length < 0 || length == static_cast<std::ptrdiff_t>(bytes_.size())) continue;
      std::filesystem::resize_file(path_, static_cast<std::uintmax_t>(length));
      ASSERT_THAT(Checkpoint::open(path_), StatusIs(Code::kTruncated)) << length;
      write_file(path_, bytes_);
    }
  }
}

}  // namespace
}  // namespace ingot::testing
