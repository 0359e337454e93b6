// Bytes that change on their way: between hand-over and write, and on the medium.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "../support/status_matchers.h"
#include "io/fault_file_system.h"
#include "model.h"
#include "tests/format/no_sha256.h"

namespace ingot::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using writer::Session;
using writer::Tuning;

constexpr std::uint64_t kKiB = 1024;

class Integrity : public ::testing::Test {
 protected:
  Integrity() {
    file_system_.set_features({.direct = true});
    options_ = options_on(faults_);
    options_.chunk_bytes = 64 * kKiB;
    options_.staging_bytes = 512 * kKiB;
    tuning_.synchronous_bytes = 0;
    tuning_.queue = io::QueueKind::kSynchronous;
  }

  Status save() {
    auto session = Session::create("model.ingot", model_.plan, options_, tuning_);
    INGOT_RETURN_IF_ERROR(session.status());
    INGOT_RETURN_IF_ERROR(write_all(**session, model_));
    return (*session)->commit();
  }
  // Flips a bit of the staged byte at this file offset.
  void corrupt_staged(std::uint64_t victim) {
    tuning_.before_rehash = [victim](std::uint64_t offset, MutableBytes content) {
      if (victim < offset || victim >= offset + content.size()) return;
      content[victim - offset] ^= std::byte{0x10};
    };
  }

  const Model model_ = mixed_model();
  io::MemoryFileSystem file_system_;
  io::FaultFileSystem faults_{file_system_};
  WriterOptions options_;
  Tuning tuning_;
};

// Without the algorithm there is no file, rather than one whose digests are zeros.
TEST_F(Integrity, WithoutSha256NothingIsWrittenThatAsksForIt) {
  const NoSha256 none;
  EXPECT_EXIT(
      {
        ASSERT_OK(save());
        const Content old = file_system_.content("model.ingot");
        options_.sha256 = true;
        const Status status = save();
        std::fprintf(stderr, "%s\n", status.to_string().c_str());
        const bool kept = file_system_.content("model.ingot") == old;
        std::exit(status.code() == Code::kUnsupported && kept ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "model.ingot: .*SHA-256");
}

TEST_F(Integrity, EveryChangedPageOfDataInStagingIsFound) {
  const Content whole = saved(model_, {.chunk_bytes = 64 * kKiB});
  std::uint64_t data_end = 0;
  std::memcpy(&data_end, whole.data() + 40, 8);
  for (const DirectIo direct : {DirectIo::kOn, DirectIo::kOff}) {
    options_.direct = direct;
    for (std::uint64_t victim = 4096; victim < data_end; victim += 9 * 4096 + 123) {
      // Padding that nobody stages cannot be corrupted there.
      if (whole[victim] == std::byte{0}) continue;
      corrupt_staged(victim);
      EXPECT_THAT(save(), StatusIs(Code::kChecksumMismatch, HasSubstr("memory changed"))) << victim;
      EXPECT_THAT(file_system_.names(), IsEmpty());
    }
  }
}

TEST_F(Integrity, MessageNamesTensorAndRange) {
  corrupt_staged(4096 + 70'000);
  const Status status = save();
  EXPECT_THAT(status, StatusIs(Code::kChecksumMismatch,
                               AllOf(HasSubstr("tensor \"embed.weight\""),
                                     HasSubstr("bytes [69632, 135168)"), HasSubstr("expected"))));
  EXPECT_EQ(status.location().region, Region::kData);
}

TEST_F(Integrity, ChangedPaddingInStagingIsFound) {
  // "bias" follows "embed.weight" and leaves padding behind it.
  const Content whole = saved(model_, options_);
  const std::uint64_t bias_end = 4096 + 2'048'000 + 2046;
  ASSERT_EQ(whole[bias_end], std::byte{0});
  corrupt_staged(bias_end);
  EXPECT_THAT(save(), StatusIs(Code::kChecksumMismatch, HasSubstr("padding")));
}

TEST_F(Integrity, ChangedMetadataInStagingIsFound) {
  const Content whole = saved(model_, options_);
  for (const std::size_t field : {48u, 80u}) {  // offsets of digest table and index
    std::uint64_t offset = 0;
    std::memcpy(&offset, whole.data() + field, 8);
    corrupt_staged(offset);
    EXPECT_THAT(save(), StatusIs(Code::kChecksumMismatch));
  }
}

TEST_F(Integrity, ReadBackAcceptsWhatWasWritten) {
  options_.read_back = true;
  for (const DirectIo direct : {DirectIo::kOn, DirectIo::kOff}) {
    for (const io::QueueKind queue : {io::QueueKind::kThreads, io::QueueKind::kSynchronous}) {
      options_.direct = direct;
      tuning_.queue = queue;
      EXPECT_OK(save());
      EXPECT_OK(check_file(file_system_.content("model.ingot"), model_));
    }
  }
}

TEST_F(Integrity, ReadBackAcceptsEmptyFiles) {
  options_.read_back = true;
  auto writer = Writer::create("model.ingot", WritePlan(), options_);
  ASSERT_OK(writer);
  EXPECT_OK(writer->commit());
}

auto read_back_differs() {
  return ::testing::AnyOf(StatusIs(Code::kChecksumMismatch, HasSubstr("read back")),
                          StatusIs(Code::kCorrupt, HasSubstr("read back")));
}

// Flips a bit in the nth transfer of a kind, for every n.
TEST_F(Integrity, ReadBackFindsABitFlippedByAnyTransfer) {
  struct Way {
    DirectIo direct;
    io::Call call;
  };
  options_.read_back = true;
  for (const auto& [direct, call] :
       {Way{DirectIo::kOff, io::Call::kWrite}, Way{DirectIo::kOff, io::Call::kRead},
        Way{DirectIo::kOn, io::Call::kRead}}) {
    options_.direct = direct;
    std::uint64_t n = 0;
    for (;; ++n) {
      faults_.set_fault({.kind = io::Fault::Kind::kBitFlip, .at = n, .only = {call}});
      const Status status = save();
      if (!faults_.fired()) break;
      ASSERT_THAT(status, read_back_differs()) << n;
      ASSERT_THAT(file_system_.names(), IsEmpty());
    }
    EXPECT_GT(n, 8u);
    EXPECT_OK(file_system_.remove("model.ingot"));
  }
}

TEST_F(Integrity, ReadBackNamesTensorChunkAndRange) {
  options_.read_back = true;
  options_.direct = DirectIo::kOff;
  faults_.set_fault({.kind = io::Fault::Kind::kBitFlip, .at = 0, .only = {io::Call::kWrite}});
  const Status status = save();
  EXPECT_THAT(status,
              StatusIs(Code::kChecksumMismatch, AllOf(HasSubstr("\"embed.weight\" chunk 1/32"),
                                                      HasSubstr("bytes [4096, 69632)"))));
}

TEST_F(Integrity, ReadBackCanBeCancelled) {
  CancelFlag cancel = false;
  options_.read_back = true;
  options_.cancel = &cancel;
  faults_.set_observer([&](std::uint64_t, io::Call call, const std::string&) {
    if (call == io::Call::kRead) cancel = true;
  });
  EXPECT_THAT(save(), StatusIs(Code::kCancelled, HasSubstr("reading back")));
  EXPECT_THAT(file_system_.names(), IsEmpty());
}

}  // namespace
}  // namespace ingot::testing
