// What open() says of files that are damaged, foreign, or not files.
#include <sys/stat.h>

#include <cstring>

#include "format/header.h"
#include "tests/loader/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

namespace ingot::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
namespace at = format::header_at;

class OpenTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(write_sample(path_, mixed_plan()));
    bytes_ = read_file(path_);
  }
  Status open() {
    write_file(path_, bytes_);
    return Checkpoint::open(path_).status();
  }
  std::span<std::byte> first() { return std::span(bytes_).first(4096); }
  std::span<std::byte> second() { return std::span(bytes_).last(4096); }
  static void zero(std::span<std::byte> page) { std::memset(page.data(), 0, page.size()); }
  static void set_major(std::span<std::byte> page, std::uint16_t major) {
    store_le(page, at::kMajor, major);
  }
  // A page of a later version: other contents, a digest that only that version can check.
  static void make_newer(std::span<std::byte> page) {
    set_major(page, 2);
    page[at::kReserved1] = std::byte{1};
  }
  format::Header header() { return *format::decode_header(first(), path_, Region::kHeader); }

  Scratch scratch_;
  std::string path_ = scratch_.path("sample.ingot");
  Blob bytes_;
};

TEST_F(OpenTest, IntactFile) { EXPECT_OK(open()); }

TEST_F(OpenTest, NoSuchFile) {
  EXPECT_THAT(Checkpoint::open(scratch_.path("none")), StatusIs(Code::kNotFound));
}

TEST_F(OpenTest, NotARegularFile) {
  EXPECT_THAT(Checkpoint::open(scratch_.folder()),
              StatusIs(Code::kInvalidArgument, HasSubstr("regular")));
}

// F-01, F-17, F-27: the second copy tells a damaged file from a foreign one.
TEST_F(OpenTest, DamagedFirstHeader) {
  first()[at::kUuid] ^= std::byte{1};
  const Status status = open();
  EXPECT_THAT(status, StatusIs(Code::kCorrupt, HasSubstr("run `ingot repair`")));
  EXPECT_EQ(status.location().region, Region::kHeader);
}

TEST_F(OpenTest, DamagedMagic) {
  first()[0] = std::byte{'x'};
  EXPECT_THAT(open(), StatusIs(Code::kCorrupt, HasSubstr("run `ingot repair`")));
}

TEST_F(OpenTest, NeverCommitted) {
  zero(first());
  EXPECT_THAT(open(), StatusIs(Code::kCorrupt,
                               AllOf(HasSubstr("never committed"), HasSubstr("ingot repair"))));
  zero(second());
  EXPECT_THAT(open(), StatusIs(Code::kCorrupt, HasSubstr("never committed")));
}

TEST_F(OpenTest, NotAnIngotFile) {
  bytes_ = noise(20000, 1);
  EXPECT_THAT(open(), StatusIs(Code::kCorrupt, HasSubstr("not an Ingot file")));
  bytes_ = noise(20, 1);
  EXPECT_THAT(open(), StatusIs(Code::kCorrupt, HasSubstr("not an Ingot file")));
}

TEST_F(OpenTest, BothHeadersDamaged) {
  first()[at::kUuid] ^= std::byte{1};
  second()[at::kUuid] ^= std::byte{1};
  EXPECT_THAT(open(), StatusIs(Code::kCorrupt, HasSubstr("both header pages are damaged")));
}

TEST_F(OpenTest, SecondHeaderDiffers) {
  second()[at::kRoot + 3] ^= std::byte{8};
  const Status status = open();
  EXPECT_THAT(status, StatusIs(Code::kCorrupt, HasSubstr("F-17")));
  EXPECT_EQ(status.location().region, Region::kSecondHeader);
  EXPECT_EQ(status.location().begin, bytes_.size() - 4096 + at::kRoot + 3);
}

// F-03: a version that both pages claim is believed, even if its digest is computed otherwise.
TEST_F(OpenTest, NewerMajorVersion) {
  make_newer(first());
  make_newer(second());
  EXPECT_THAT(open(), StatusIs(Code::kUnsupported, HasSubstr("found 2")));
}

TEST_F(OpenTest, AFlippedVersionIsDamageNotANewerVersion) {
  set_major(first(), 3);
  EXPECT_THAT(open(), StatusIs(Code::kCorrupt, HasSubstr("second copy is intact")));
  set_major(second(), 3);  // and even twice: the rest of the page is of this version
  EXPECT_THAT(open(), StatusIs(Code::kCorrupt));
}

TEST_F(OpenTest, NewerMajorVersionInOnePageOnly) {
  make_newer(first());
  EXPECT_THAT(open(), StatusIs(Code::kCorrupt));
}

// F-04
TEST_F(OpenTest, UnknownRequiredFeature) {
  format::Header newer = header();
  newer.required_features = 4;
  const format::HeaderPage page = format::encode_header(newer);
  std::memcpy(first().data(), page.data(), page.size());
  EXPECT_THAT(open(), StatusIs(Code::kUnsupported, HasSubstr("bit 2")));
  // Also when only the second copy can still say so.
  std::memcpy(second().data(), page.data(), page.size());
  zero(first());
  EXPECT_THAT(open(), StatusIs(Code::kUnsupported, HasSubstr("bit 2")));
}

// F-05: what need not be understood does not hinder.
TEST_F(OpenTest, UnknownOptionalFeature) {
  format::Header newer = header();
  newer.optional_features |= std::uint64_t{1} << 40;
  newer.minor = 9;
  const format::HeaderPage page = format::encode_header(newer);
  std::memcpy(first().data(), page.data(), page.size());
  std::memcpy(second().data(), page.data(), page.size());
  EXPECT_OK(open());
}

// F-18
TEST_F(OpenTest, WrongLength) {
  bytes_.resize(bytes_.size() + 1);
  EXPECT_THAT(open(), StatusIs(Code::kTruncated, HasSubstr("its header says")));
  bytes_.resize(bytes_.size() - 4097);
  EXPECT_THAT(open(), StatusIs(Code::kTruncated));
  bytes_.resize(8191);
  EXPECT_THAT(open(), StatusIs(Code::kTruncated));
}

TEST_F(OpenTest, HeadCutOff) {
  bytes_.erase(bytes_.begin(), bytes_.begin() + 8192);
  EXPECT_THAT(open(), StatusIs(Code::kTruncated, HasSubstr("its header says")));
}

// F-20
TEST_F(OpenTest, DamagedDigestTable) {
  const format::Header before = header();
  bytes_[before.digests_offset + 17] ^= std::byte{1};
  const Status status = open();
  EXPECT_THAT(status, StatusIs(Code::kCorrupt, AllOf(HasSubstr("F-20"), HasSubstr("expected"))));
  EXPECT_EQ(status.location().region, Region::kDigestTable);
  EXPECT_EQ(status.location().begin, before.digests_offset);
  EXPECT_EQ(status.location().end, before.digests_offset + before.digests_bytes);
}

// F-21
TEST_F(OpenTest, DamagedIndex) {
  const format::Header before = header();
  bytes_[before.index_offset + 100] ^= std::byte{1};
  const Status status = open();
  EXPECT_THAT(status, StatusIs(Code::kCorrupt, HasSubstr("F-21")));
  EXPECT_EQ(status.location().region, Region::kIndex);
}

// F-19
TEST_F(OpenTest, PaddingThatIsNotZero) {
  const format::Header h = header();
  for (std::uint64_t begin :
       {h.data_end, h.digests_offset - 1, h.digests_offset + h.digests_bytes, h.index_offset - 1,
        h.index_offset + h.index_bytes, h.second_header_offset() - 1}) {
    bytes_[begin] = std::byte{4};
    const Status status = open();
    EXPECT_THAT(status, StatusIs(Code::kCorrupt, HasSubstr("found 0x4")));
    EXPECT_EQ(status.location().region, Region::kPadding);
    EXPECT_EQ(status.location().begin, begin);
    EXPECT_EQ(status.location().end, begin + 1);
    bytes_[begin] = std::byte{0};
  }
}

// F-33
TEST_F(OpenTest, Limits) {
  const auto with = [&](const Limits& limits) {
    return Checkpoint::open(path_, {.limits = limits}).status();
  };
  const format::Header h = header();
  EXPECT_OK(with({.max_index_bytes = h.index_bytes, .max_tensors = 10}));
  EXPECT_THAT(with({.max_index_bytes = h.index_bytes - 1}), StatusIs(Code::kRejected));
  EXPECT_THAT(with({.max_tensors = 9}), StatusIs(Code::kRejected));
  EXPECT_OK(with({.max_digest_table_bytes = h.digests_bytes}));
  EXPECT_THAT(with({.max_digest_table_bytes = h.digests_bytes - 1}),
              StatusIs(Code::kRejected, HasSubstr("the digest table is larger")));
  EXPECT_OK(with({.max_unbacked_bytes = 0}));  // all of this file is there
}

}  // namespace
}  // namespace ingot::testing
