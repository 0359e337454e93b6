// The I/O error loop (after SQLite's): call N fails, for N = 0, 1, … until nothing fails any more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <vector>

#include "../support/status_matchers.h"
#include "io/fault_file_system.h"
#include "replace_case.h"

namespace ingot::testing {
namespace {

using io::Fault;
using ::testing::HasSubstr;

struct Kind {
  std::string name;
  Fault fault;
};

Fault error(int number) { return {.os_error = number, .only = {}}; }

std::vector<Kind> kinds() {
  std::vector<Kind> kinds;
  for (const int number : {EIO, ENOSPC, EDQUOT, EFBIG, EINVAL, ENOMEM, EPERM, EROFS, EOPNOTSUPP}) {
    kinds.push_back({"errno " + std::to_string(number), error(number)});
  }
  const std::vector<io::Call> transfers = {io::Call::kRead, io::Call::kWrite};
  for (const std::uint64_t bytes : {1u, 511u, 4096u, 4097u}) {
    kinds.push_back({std::to_string(bytes) + " bytes of a transfer",
                     {.kind = Fault::Kind::kShort, .transfer = bytes, .only = transfers}});
  }
  kinds.push_back({"no progress", {.kind = Fault::Kind::kZeroProgress, .only = transfers}});
  return kinds;
}

class FaultLoop : public ::testing::Test {
 protected:
  // Runs one save with the fault; false when nothing was left to fail.
  bool survives(const Way& way, const Fault& fault, const std::string& what) {
    SCOPED_TRACE(way.name + ", " + what + " at call " + std::to_string(fault.at) +
                 (fault.forever ? " and after" : ""));
    io::MemoryFileSystem memory;
    case_.prepare(memory, way);
    io::FaultFileSystem faults(memory);
    faults.set_fault(fault);
    const Status status = case_.save(faults, way);
    if (!faults.fired()) {
      EXPECT_OK(status);
      return false;
    }
    ++cases_;
    expect_contract(memory, way, status, fault);
    return true;
  }

  // Whole and new, or an error and untouched; in doubt the code says so.
  void expect_contract(io::MemoryFileSystem& memory, const Way& way, const Status& status,
                       const Fault& fault) {
    if (status.ok()) {
      EXPECT_TRUE(case_.holds_new(memory));
    } else if (status.code() == Code::kCommitUncertain) {
      EXPECT_TRUE(case_.holds_new(memory)) << status.to_string();
    } else {
      EXPECT_TRUE(case_.holds_old(memory, way)) << status.to_string();
      EXPECT_NE(status.code(), Code::kInternal) << status.to_string();
    }
    expect_no_leftovers(memory, way, fault);
  }

  void expect_no_leftovers(io::MemoryFileSystem& memory, const Way& way, const Fault& fault) {
    EXPECT_EQ(ReplaceCase::foreign_name(memory), "");
    // What cannot be removed while removing fails, the next save reclaims.
    if (!fault.forever) {
      EXPECT_LE(memory.names().size(), 1u);
    }
    Way again = way;
    again.existing = Existing::kReplace;
    EXPECT_OK(case_.save(memory, again));
    EXPECT_EQ(memory.names(), std::vector{std::string(kName)});
    EXPECT_TRUE(case_.holds_new(memory));
  }

  void run(const Way& way) {
    for (const Kind& kind : kinds()) {
      for (const bool forever : {false, true}) {
        Fault fault = kind.fault;
        fault.forever = forever;
        for (fault.at = 0; survives(way, fault, kind.name) && !HasFailure(); ++fault.at) {
        }
      }
    }
  }

  const ReplaceCase case_;
  std::uint64_t cases_ = 0;
};

TEST_F(FaultLoop, EveryCallEveryFaultEveryWay) {
  for (const Way& way : ways()) run(way);
  std::printf("%llu failures injected\n", static_cast<unsigned long long>(cases_));
  EXPECT_GT(cases_, 2600u);
}

TEST_F(FaultLoop, WithTransfersOnThreads) {
  for (Way way : ways()) {
    way.queue = io::QueueKind::kThreads;
    Fault fault = error(EIO);
    for (; survives(way, fault, "EIO") && !HasFailure(); ++fault.at) {
    }
  }
}

// The message says which call failed and why.
TEST_F(FaultLoop, ErrorsCarryTheErrnoAndTheirCode) {
  const Way way = ways()[0];
  const auto failed = [&](io::Call call, int os_error) {
    io::MemoryFileSystem memory;
    case_.prepare(memory, way);
    io::FaultFileSystem faults(memory);
    faults.set_fault({.kind = Fault::Kind::kErrno, .os_error = os_error, .only = {call}});
    const Status status = case_.save(faults, way);
    EXPECT_EQ(status.os_error(), os_error);
    return status;
  };
  EXPECT_THAT(failed(io::Call::kWrite, EIO), StatusIs(Code::kIoError, HasSubstr("write")));
  EXPECT_THAT(failed(io::Call::kWrite, ENOSPC), StatusIs(Code::kResourceExhausted));
  EXPECT_THAT(failed(io::Call::kAllocate, EDQUOT), StatusIs(Code::kResourceExhausted));
  EXPECT_THAT(failed(io::Call::kSync, EIO), StatusIs(Code::kIoError, HasSubstr("sync")));
  EXPECT_THAT(failed(io::Call::kSyncFolder, EIO), StatusIs(Code::kCommitUncertain));
}

// The writer may live on for long: what it has written goes when commit() fails, not when it does.
TEST_F(FaultLoop, ACommitThatFailsDropsTheFile) {
  for (const Way& way : ways()) {
    io::MemoryFileSystem memory;
    case_.prepare(memory, way);
    const std::uint64_t free_before = *memory.free_bytes("");
    const std::vector<std::string> names_before = memory.names();
    io::FaultFileSystem faults(memory);
    WriterOptions options = options_on(faults);
    options.existing = way.existing;
    options.direct = way.direct;
    ASSERT_OK_AND_ASSIGN(Writer writer, Writer::create(kName, case_.new_model().plan, options));
    ASSERT_OK(write_all(writer, case_.new_model()));
    faults.set_fault({.forever = true, .only = {io::Call::kWrite}});
    EXPECT_THAT(writer.commit(), StatusIs(Code::kIoError)) << way.name;
    // A name that is gone keeps its bytes until the folder's next sync, here.
    if (way.features.unnamed_files) {
      EXPECT_EQ(*memory.free_bytes(""), free_before) << way.name;
    }
    EXPECT_EQ(memory.names(), names_before) << way.name;
    EXPECT_THAT(writer.write(StorageId{0}, {}), StatusIs(Code::kIoError)) << way.name;
    EXPECT_THAT(writer.commit(), StatusIs(Code::kIoError)) << way.name;
  }
}

// A failed fsync is final: it is called once.
TEST_F(FaultLoop, SyncIsNeverRetried) {
  io::MemoryFileSystem memory;
  case_.prepare(memory, ways()[0]);
  io::FaultFileSystem faults(memory);
  int syncs = 0;
  faults.set_observer([&](std::uint64_t, io::Call call, const std::string&) {
    if (call == io::Call::kSync) ++syncs;
  });
  faults.set_fault({.kind = Fault::Kind::kErrno, .only = {io::Call::kSync}});
  EXPECT_THAT(case_.save(faults, ways()[0]), StatusIs(Code::kIoError));
  EXPECT_EQ(syncs, 1);
}

}  // namespace
}  // namespace ingot::testing
