// Every call to the operating system goes wrong once, and for ever: a typed error or exact bytes.
#include <cerrno>

#include "ingot/verify.h"

#include "io/fault_file_system.h"
#include "io/memory_file_system.h"
#include "tests/loader/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

namespace ingot::testing {
namespace {

using ::testing::AnyOf;

class FaultTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Scratch scratch;
    ASSERT_OK(write_sample(scratch.path("f"), plan_));
    memory_.set_features({.direct = true});
    memory_.put("f", read_file(scratch.path("f")));
  }

  // Opens, reads a tensor and a slice, verifies by `path`. True when nothing failed; what was
  // returned was right in any case.
  bool use(ReadPath path) {
    const Result<Checkpoint> checkpoint = Checkpoint::open("f", {.file_system = &faults_});
    if (!checkpoint.ok()) return expect_typed(checkpoint.status());
    bool ok = true;
    for (const char* name : {"embed.weight", "head.tail"}) {
      const TensorInfo tensor = *checkpoint->find(name);
      for (Verify mode : {Verify::kYes, Verify::kNo}) {
        Blob content(tensor.bytes);
        const Status status = checkpoint->read(tensor, content, mode);
        ok = expect_typed(status) && ok;
        // A bit that flips on the way is found by its digest, and only by it.
        if (status.ok() && (mode == Verify::kYes || !flips_)) {
          EXPECT_EQ(content, tensor_content(plan_, tensor));
        }
      }
    }
    const Result<TensorView> view = checkpoint->tensor("packed");
    if (view.ok()) {
      EXPECT_TRUE(std::ranges::equal(view->bytes, tensor_content(plan_, view->info)));
    } else {
      EXPECT_THAT(view, StatusIs(Code::kResourceExhausted));
    }
    const Result<VerifyReport> report =
        verify(*checkpoint, {.path = path, .threads = 1, .keep_going = true});
    ok = expect_typed(report.status()) && ok;
    if (report.ok()) {
      for (const Status& error : report->errors) ok = expect_typed(error) && ok;
    }
    return ok && report.ok() && report->intact();
  }
  bool expect_typed(const Status& status) {
    if (status.ok()) return true;
    EXPECT_THAT(status.code(),
                AnyOf(Code::kIoError, Code::kTruncated, Code::kCorrupt, Code::kChecksumMismatch,
                      Code::kResourceExhausted, Code::kUnsupported))
        << status.to_string();
    return false;
  }
  // Lets every call suffer the fault in turn; returns how many there were.
  std::uint64_t every_call(io::Fault fault, ReadPath path) {
    for (fault.at = 0;; ++fault.at) {
      faults_.set_fault(fault);
      const bool ok = use(path);
      if (!faults_.fired()) {
        EXPECT_TRUE(ok);
        return fault.at;
      }
      faults_.clear();
    }
  }

  const WritePlan plan_ = mixed_plan();
  io::MemoryFileSystem memory_;
  io::FaultFileSystem faults_{memory_};
  bool flips_ = false;
};

TEST_F(FaultTest, NothingFailsByItself) {
  for (ReadPath path : {ReadPath::kRead, ReadPath::kMapping, ReadPath::kDirect}) {
    EXPECT_TRUE(use(path)) << read_path_name(path);
  }
}

TEST_F(FaultTest, ErrorsOnceAndForEver) {
  for (ReadPath path : {ReadPath::kRead, ReadPath::kMapping, ReadPath::kDirect}) {
    for (int error : {EIO, EINTR, ENOMEM, ESTALE, EFAULT}) {
      for (bool forever : {false, true}) {
        io::Fault fault;
        fault.os_error = error;
        fault.forever = forever;
        EXPECT_GT(every_call(fault, path), 20U);
      }
    }
  }
}

// Short transfers are no errors: whoever reads goes on.
TEST_F(FaultTest, ShortReads) {
  for (std::uint64_t transfer : {1U, 17U, 4096U, 65535U}) {
    for (bool forever : {false, true}) {
      if (forever && transfer < 4096) continue;  // right, but slow
      io::Fault fault;
      fault.kind = io::Fault::Kind::kShort;
      fault.transfer = transfer;
      fault.forever = forever;
      fault.only = {io::Call::kRead};
      faults_.set_fault(fault);
      EXPECT_TRUE(use(ReadPath::kRead)) << transfer;
      EXPECT_TRUE(faults_.fired());
    }
  }
  io::Fault fault;
  fault.kind = io::Fault::Kind::kShort;
  fault.transfer = 100;
  fault.only = {io::Call::kRead};
  every_call(fault, ReadPath::kRead);
}

TEST_F(FaultTest, ReadsThatEndEarly) {
  io::Fault fault;
  fault.kind = io::Fault::Kind::kZeroProgress;
  fault.only = {io::Call::kRead};
  every_call(fault, ReadPath::kRead);
  every_call(fault, ReadPath::kDirect);
}

TEST_F(FaultTest, BitsThatFlipOnTheWay) {
  flips_ = true;
  io::Fault fault;
  fault.kind = io::Fault::Kind::kBitFlip;
  fault.only = {io::Call::kRead};
  EXPECT_GT(every_call(fault, ReadPath::kRead), 10U);
  every_call(fault, ReadPath::kDirect);
}

}  // namespace
}  // namespace ingot::testing
