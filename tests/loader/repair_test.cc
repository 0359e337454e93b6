// repair_header(): from which page, and when not at all.
#include "ingot/repair.h"

#include <cstring>

#include "format/header.h"
#include "io/fault_file_system.h"
#include "io/memory_file_system.h"
#include "tests/loader/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

namespace ingot::testing {
namespace {

using ::testing::HasSubstr;

class RepairTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(write_sample(path_, mixed_plan()));
    intact_ = bytes_ = read_file(path_);
  }
  Result<RepairReport> repair(const RepairOptions& options = {}) {
    write_file(path_, bytes_);
    return repair_header(path_, options);
  }
  // The repair succeeds, and afterwards not a byte differs from the intact file.
  void expect_repaired(HeaderCopy copy) {
    ASSERT_OK_AND_ASSIGN(const RepairReport report, repair());
    EXPECT_EQ(report.repaired, copy);
    EXPECT_FALSE(report.what.empty());
    EXPECT_EQ(read_file(path_), intact_);
    EXPECT_OK(Checkpoint::open(path_));
  }
  void expect_refused(Code code, const std::string& message) {
    EXPECT_THAT(repair(), StatusIs(code, HasSubstr(message)));
    EXPECT_EQ(read_file(path_), bytes_);
  }
  std::span<std::byte> first() { return std::span(bytes_).first(4096); }
  std::span<std::byte> second() { return std::span(bytes_).last(4096); }
  void put(std::span<std::byte> page, format::Header header) {
    const format::HeaderPage encoded = format::encode_header(header);
    std::memcpy(page.data(), encoded.data(), encoded.size());
  }
  format::Header header() {
    return *format::decode_header(std::span(intact_).first(4096), path_, Region::kHeader);
  }

  Scratch scratch_;
  std::string path_ = scratch_.path("sample.ingot");
  Blob intact_;
  Blob bytes_;
};

TEST_F(RepairTest, NothingToDo) { expect_repaired(HeaderCopy::kNone); }

TEST_F(RepairTest, FirstPageDamaged) {
  first()[300] ^= std::byte{1};
  expect_repaired(HeaderCopy::kFirst);
}

TEST_F(RepairTest, FirstPageZeroed) {
  std::memset(first().data(), 0, 4096);
  expect_repaired(HeaderCopy::kFirst);
}

TEST_F(RepairTest, SecondPageDamaged) {
  second()[4095] ^= std::byte{0x80};
  expect_repaired(HeaderCopy::kSecond);
}

TEST_F(RepairTest, EverySectorOfEitherPage) {
  for (std::size_t at = 0; at < 4096; at += 512) {
    bytes_ = intact_;
    std::memset(first().data() + at, 0xFF, 512);
    expect_repaired(HeaderCopy::kFirst);
    bytes_ = intact_;
    std::memset(second().data() + at, 0xFF, 512);
    expect_repaired(HeaderCopy::kSecond);
  }
}

TEST_F(RepairTest, DryRunWritesNothing) {
  first()[300] ^= std::byte{1};
  ASSERT_OK_AND_ASSIGN(const RepairReport report, repair({.dry_run = true}));
  EXPECT_EQ(report.repaired, HeaderCopy::kFirst);
  EXPECT_THAT(report.what, HasSubstr("would be"));
  EXPECT_EQ(read_file(path_), bytes_);
}

TEST_F(RepairTest, BothDamaged) {
  first()[300] ^= std::byte{1};
  second()[300] ^= std::byte{1};
  expect_refused(Code::kCorrupt, "both header pages are damaged");
}

TEST_F(RepairTest, TruncatedFile) {
  bytes_.resize(bytes_.size() - 4096);
  expect_refused(Code::kTruncated, "its header says");
}

TEST_F(RepairTest, ExtendedFile) {
  bytes_.resize(bytes_.size() + 1);
  expect_refused(Code::kTruncated, "its header says");
}

TEST_F(RepairTest, NotAnIngotFile) {
  bytes_ = noise(50000, 3);
  expect_refused(Code::kCorrupt, "damaged");
}

// An intact page of another save must not spread.
TEST_F(RepairTest, IntactPageThatDoesNotFit) {
  format::Header stale = header();
  stale.index_digest.low ^= 1;
  put(second(), stale);
  expect_repaired(HeaderCopy::kSecond);
  bytes_ = intact_;
  put(first(), stale);
  expect_repaired(HeaderCopy::kFirst);
  put(first(), stale);
  second()[9] ^= std::byte{1};
  expect_refused(Code::kCorrupt, "nothing to repair from");
}

TEST_F(RepairTest, TwoIntactPagesThatFit) {
  format::Header other = header();
  other.uuid[0] ^= 1;
  put(second(), other);
  expect_refused(Code::kCorrupt, "differ");
}

TEST_F(RepairTest, NewerVersion) {
  format::Header newer = header();
  newer.required_features = 8;
  put(first(), newer);
  expect_refused(Code::kUnsupported, "bit 3");
}

TEST_F(RepairTest, DamagedIndexToo) {
  first()[300] ^= std::byte{1};
  bytes_[header().index_offset + 50] ^= std::byte{1};
  expect_refused(Code::kCorrupt, "nothing to repair from");
}

// Each call fails once: the file is as before, or repaired, or its page is torn with the other
// still whole, so that a second repair succeeds.
TEST_F(RepairTest, SurvivesEveryFailingCall) {
  bytes_[300] ^= std::byte{1};
  for (std::uint64_t at = 0;; ++at) {
    io::MemoryFileSystem memory;
    memory.put("f", bytes_);
    io::FaultFileSystem faults(memory);
    faults.set_fault({.at = at, .only = {}});
    const Status status = repair_header("f", {.file_system = &faults}).status();
    if (!faults.fired()) {
      EXPECT_OK(status);
      EXPECT_GT(at, 10U);
      break;
    }
    // A failing map() only costs views.
    EXPECT_TRUE(status.ok() || status.code() == Code::kIoError) << status.to_string();
    EXPECT_OK(repair_header("f", {.file_system = &memory}));
    EXPECT_EQ(memory.content("f"), intact_);
  }
}

}  // namespace
}  // namespace ingot::testing
