// Streaming while the operating system fails: a typed error that names the place, or exact bytes.
#include <algorithm>
#include <cerrno>

#include "ingot/load_plan.h"
#include "ingot/stream.h"

#include "io/fault_file_system.h"
#include "io/memory_file_system.h"
#include "tests/loader/byte_file_system.h"
#include "tests/loader/sample.h"
#include "tests/support/fault_device.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

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
