// Streaming while the operating system fails: a typed error that names the place, or exact bytes.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "ingot/load_plan.h"
#include "ingot/stream.h"

#include "base/error.h"
#include "io/fault_file_system.h"
#include "io/memory_file_system.h"
#include "io/queue.h"
#include "tests/io/child.h"
#include "tests/loader/byte_file_system.h"
#include "tests/loader/sample.h"
#include "tests/support/fault_device.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"
#include "tests/writer/forwarding.h"

namespace ingot::testing {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

class StreamFileFaults : public ::testing::TestWithParam<Transport> {
 protected:
  void SetUp() override {
    Scratch scratch;
    ASSERT_OK(write_sample(scratch.path("f"), plan_));
    memory_.set_features({.direct = true});
    memory_.put("f", read_file(scratch.path("f")));
  }

  // Whether every tensor of a slab is what was written.
  bool is_right(const LoadPlan& load, const DeviceSpan& slab) const {
    const Checkpoint& checkpoint = load.checkpoint();
    for (std::uint32_t i = 0; i < checkpoint.tensor_count(); ++i) {
      const TensorInfo tensor = checkpoint.info(i);
      const Blob expected = tensor_content(plan_, tensor);
      if (!std::equal(expected.begin(), expected.end(),
                      slab.data + load.slab_offset(tensor).value_or(0))) {
        return false;
      }
    }
    return true;
  }

  const WritePlan plan_ = mixed_plan();
  io::MemoryFileSystem memory_;
  io::FaultFileSystem faults_{memory_};
};

TEST_P(StreamFileFaults, EveryCall) {
  const auto device = make_host_device({.copies = HostCopies::kDeferred});
  for (const io::Fault::Kind kind :
       {io::Fault::Kind::kErrno, io::Fault::Kind::kShort, io::Fault::Kind::kZeroProgress}) {
    io::Fault fault;
    fault.kind = kind;
    for (;; ++fault.at) {
      faults_.clear();
      ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint,
                           Checkpoint::open("f", {.file_system = &faults_}));
      const LoadPlan load = LoadPlan::for_tensors(checkpoint, {});
      FaultDevice counting(*device);
      ASSERT_OK_AND_ASSIGN(auto memory, device->allocate(load.slab_bytes()));
      faults_.set_fault(fault);
      const Result<StreamReport> report =
          stream(load, counting, memory->span(),
                 {.transport = GetParam(), .staging_bytes = 300000, .threads = 2});
      EXPECT_EQ(counting.alive(), 0);
      EXPECT_EQ(counting.freed_in_flight(), 0);
      if (report.ok()) {
        EXPECT_TRUE(is_right(load, memory->span()));
      } else {
        ASSERT_THAT(report.status().code(), AnyOf(Code::kIoError, Code::kUnsupported))
            << report.status().to_string();
      }
      if (!faults_.fired()) {
        EXPECT_OK(report);
        break;
      }
    }
  }
}

TEST_P(StreamFileFaults, AFailedReadNamesTensorAndRange) {
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint,
                       Checkpoint::open("f", {.file_system = &faults_}));
  const LoadPlan load = LoadPlan::for_tensors(checkpoint, {.prefix = "adam/"});
  ASSERT_OK_AND_ASSIGN(auto memory, host_device().allocate(load.slab_bytes()));
  io::Fault fault;
  fault.os_error = EIO;
  fault.forever = true;
  fault.only = {io::Call::kRead, io::Call::kPopulate};
  faults_.set_fault(fault);
  const Result<StreamReport> report = stream(load, host_device(), memory->span(),
                                             {.transport = GetParam(), .staging_bytes = 1 << 20});
  ASSERT_THAT(report, StatusIs(Code::kIoError, HasSubstr("tensor \"adam/exp_avg\" bytes [")));
  EXPECT_EQ(report.status().os_error(), EIO);
  EXPECT_EQ(report.status().location().begin, offset_of(checkpoint, checkpoint.info(2)));
}

TEST_P(StreamFileFaults, AFileThatBecameShorter) {
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint,
                       Checkpoint::open("f", {.file_system = &memory_}));
  const LoadPlan load = LoadPlan::for_tensors(checkpoint, {});
  ASSERT_OK_AND_ASSIGN(auto memory, host_device().allocate(load.slab_bytes()));
  {
    ASSERT_OK_AND_ASSIGN(auto file, memory_.open("f", io::Access::kReadWrite));
    ASSERT_OK(file->resize(8192));
  }
  EXPECT_THAT(stream(load, host_device(), memory->span(),
                     {.transport = GetParam(), .staging_bytes = 1 << 20}),
              StatusIs(Code::kIoError, HasSubstr("tensor \"")));
}

INSTANTIATE_TEST_SUITE_P(All, StreamFileFaults,
                         ::testing::Values(Transport::kPageCache, Transport::kRead,
                                           Transport::kDirect, Transport::kRegisteredMapping,
                                           Transport::kAuto),
                         [](const auto& param) {
                           std::string name(transport_name(param.param));
                           std::erase(name, '-');
                           return name;
                         });

// A sector that cannot be read fails what lies in it, by its name, and nothing beside it.
TEST(StreamMedia, ABadSector) {
  WritePlan plan;
  for (int i = 0; i < 100; ++i) {
    plan.add({.name = "t" + std::to_string(i), .dtype = DType::kUInt8, .shape = {1000}});
  }
  Scratch scratch;
  ASSERT_OK(write_sample(scratch.path("f"), plan));
  const Blob bytes = read_file(scratch.path("f"));
  ByteFileSystem media(bytes);
  const Checkpoint checkpoint = *Checkpoint::open("f", {.file_system = &media});
  const std::uint64_t at = offset_of(checkpoint, *checkpoint.find("t50"));
  media.set_bad(at + 10, at + 20);

  const LoadPlan all = LoadPlan::for_tensors(checkpoint, {});
  ASSERT_OK_AND_ASSIGN(auto slab, host_device().allocate(all.slab_bytes()));
  const Result<StreamReport> report = stream(all, host_device(), slab->span());
  ASSERT_THAT(report, StatusIs(Code::kIoError, HasSubstr("tensor \"t50\"")));
  EXPECT_EQ(report.status().location().begin, at);
  EXPECT_EQ(report.status().location().end, at + 1000);

  LoadPlan beside(checkpoint);
  Blob before(1000);
  Blob after(1000);
  ASSERT_OK(beside.add(*checkpoint.find("t49"), {.memory = {before.data(), before.size()}}));
  ASSERT_OK(beside.add(*checkpoint.find("t51"), {.memory = {after.data(), after.size()}}));
  ASSERT_OK_AND_ASSIGN(const StreamReport read, stream(beside));
  EXPECT_EQ(read.transfers, 1U);
  EXPECT_EQ(before, tensor_content(plan, *checkpoint.find("t49")));
  EXPECT_EQ(after, tensor_content(plan, *checkpoint.find("t51")));
}

// O_DIRECT that reads from a pipe: what is not in the pipe yet stays in flight.
class PipeDirect final : public ForwardingFileSystem {
 public:
  PipeDirect(io::FileSystem& base, int pipe) : ForwardingFileSystem(base), pipe_(pipe) {}

  Result<std::unique_ptr<io::File>> open(std::string_view path, io::Access access) override {
    INGOT_ASSIGN_OR_RETURN(auto file, base().open(path, access));
    return {std::make_unique<Opened>(std::move(file), pipe_)};
  }
  bool has_descriptors() const override { return true; }

 private:
  class Direct final : public ForwardingFile {
   public:
    Direct(std::unique_ptr<io::File> base, int pipe)
        : ForwardingFile(std::move(base)), pipe_(pipe) {}
    int descriptor() const override { return pipe_; }

   private:
    int pipe_;
  };
  class Opened final : public ForwardingFile {
   public:
    Opened(std::unique_ptr<io::File> base, int pipe)
        : ForwardingFile(std::move(base)), pipe_(pipe) {}
    Result<std::unique_ptr<io::File>> reopen_direct() override {
      INGOT_ASSIGN_OR_RETURN(auto direct, base().reopen_direct());
      return {std::make_unique<Direct>(std::move(direct), pipe_)};
    }

   private:
    int pipe_;
  };
  int pipe_;
};

// A queue that fails says nothing of the slot that is waited for: its read is still in flight, and
// so are the others. The load ends with what the queue said, once the kernel has let go of the
// memory.
TEST(StreamQueues, AFailingQueueEndsTheLoad) {
  if (!io::open_queue({.kind = io::QueueKind::kIoUring}).ok()) GTEST_SKIP() << "no io_uring here";
  constexpr std::uint64_t kKiB = 1024;
  WritePlan plan;
  plan.add({.name = "t", .dtype = DType::kUInt8, .shape = {1024 * kKiB}});
  Scratch scratch;
  ASSERT_OK(write_sample(scratch.path("f"), plan));
  const Blob bytes = read_file(scratch.path("f"));

  for (const StreamVerify verify : {StreamVerify::kNone, StreamVerify::kTouched}) {
    const auto broken_load = [&] {
      std::array<int, 2> ends{};
      if (::pipe2(ends.data(), O_CLOEXEC) != 0) return 1;
      if (::fcntl(ends[1], F_SETPIPE_SZ, 256 * kKiB) < 0) return 2;
      io::MemoryFileSystem memory;
      memory.set_features({.direct = true});
      memory.put("f", bytes);
      PipeDirect files(memory, ends[0]);
      const auto checkpoint = Checkpoint::open("f", {.file_system = &files});
      if (!checkpoint.ok()) return 3;
      // The first read finds its bytes, the others find none.
      const std::uint64_t begin = offset_of(*checkpoint, checkpoint->info(0));
      if (::write(ends[1], bytes.data() + begin, 64 * kKiB) != 64 * kKiB) return 4;

      struct Break {
        std::atomic<bool> done = false;
        std::atomic<bool> filtered = false;
      } broken;
      StreamOptions options{.transport = Transport::kDirect, .verify = verify};
      options.staging_bytes = 12 * 72 * kKiB;
      options.threads = 1;
      options.progress = {[](void* context, std::uint64_t, std::uint64_t) {
                            auto& state = *static_cast<Break*>(context);
                            if (state.done) return;
                            state.filtered = io::refuse_call(SYS_io_uring_enter, EPERM);
                            state.done = true;
                          },
                          &broken};
      std::atomic<bool> ended = false;
      std::thread late([&] {
        while (!broken.done) std::this_thread::yield();
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        ended = true;
        ::close(ends[1]);  // what is in flight ends now
      });
      const LoadPlan load = LoadPlan::for_tensors(*checkpoint, {});
      auto slab = host_device().allocate(load.slab_bytes());
      if (!slab.ok()) return 5;
      const Result<StreamReport> report = stream(load, host_device(), (*slab)->span(), options);
      const bool waited = ended;
      broken.done = true;
      late.join();
      if (!broken.filtered) return io::kNoFilters;
      if (report.ok()) return 6;
      if (report.status().os_error() != EPERM) return 7;
      return waited ? 0 : 8;
    };
    const int result = io::in_child(broken_load);
    if (result == io::kNoFilters) GTEST_SKIP() << "no seccomp here";
    EXPECT_EQ(result, 0);
  }
}

// What cannot be had says why; what is chosen says why, too.
TEST(StreamTransports, ForcedAndChosen) {
  Scratch scratch;
  const std::string path = scratch.path("f");
  WritePlan plan;
  plan.add({.name = "t", .shape = {1000, 1000}});
  ASSERT_OK(write_sample(path, plan));
  io::MemoryFileSystem memory;  // without O_DIRECT
  memory.put("f", read_file(path));
  ASSERT_OK_AND_ASSIGN(const Checkpoint checkpoint,
                       Checkpoint::open("f", {.file_system = &memory}));
  const LoadPlan load = LoadPlan::for_tensors(checkpoint, {});
  ASSERT_OK_AND_ASSIGN(auto slab, host_device().allocate(load.slab_bytes()));
  EXPECT_THAT(stream(load, host_device(), slab->span(), {.transport = Transport::kDirect}),
              StatusIs(Code::kUnsupported));
  ASSERT_OK_AND_ASSIGN(const StreamReport automatic, stream(load, host_device(), slab->span()));
  EXPECT_EQ(automatic.transport, Transport::kRead);
  EXPECT_THAT(automatic.reason, HasSubstr("100 % of it is in memory"));
  const auto accelerator = make_host_device({.copies = HostCopies::kDeferred});
  ASSERT_OK_AND_ASSIGN(const StreamReport warm, stream(load, *accelerator, slab->span()));
  EXPECT_EQ(warm.transport, Transport::kPageCache);
  memory.set_features({.remote = "nfs"});
  ASSERT_OK_AND_ASSIGN(const StreamReport remote, stream(load, *accelerator, slab->span()));
  EXPECT_EQ(remote.transport, Transport::kRead);
  EXPECT_THAT(remote.reason, HasSubstr("not mapped, on nfs"));
}

}  // namespace
}  // namespace ingot::testing
