// Loading to and saving from a GPU, whole, on the double: every transport and every way to verify,
// whenever things happen, and with every call failing once.
#include <algorithm>
#include <memory>
#include <set>
#include <tuple>

#include "ingot/cuda.h"
#include "ingot/device_writer.h"
#include "ingot/load_plan.h"
#include "ingot/stream.h"

#include "tests/cuda/fake_runtime.h"
#include "tests/loader/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

namespace ingot::gpu::testing {
namespace {

using ingot::testing::Blob;
using ingot::testing::IsOk;
using ingot::testing::mixed_plan;
using ingot::testing::Scratch;
using ingot::testing::StatusIs;
using ingot::testing::storage_content;
using ingot::testing::tensor_content;
using ingot::testing::write_sample;
using ::testing::AnyOf;
using ::testing::IsEmpty;

constexpr int kOrdinal = 1;

FakeRuntime& runtime() { return FakeRuntime::get(); }

std::unique_ptr<CudaDevice> open_gpu() {
  return *open_device({.ordinal = kOrdinal, .digest_scratch_bytes = 64 << 10});
}

// What lies in memory of the device.
Blob download(Device& device, const DeviceSpan& span) {
  Blob bytes(span.bytes);
  const auto staging = *device.allocate_staging(span.bytes);
  const auto queue = *device.open_queue();
  Copy copy;
  copy.destination = staging->bytes().data();
  copy.source = span.data;
  copy.width = span.bytes;
  copy.direction = CopyDirection::kFromDevice;
  EXPECT_OK(queue->copy(copy));
  EXPECT_OK(queue->drain());
  std::copy_n(staging->bytes().begin(), bytes.size(), bytes.begin());
  return bytes;
}

class StreamDouble : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(write_sample(path_, plan_)); }
  void TearDown() override {
    EXPECT_THAT(runtime().violations(), IsEmpty());
    EXPECT_TRUE(runtime().live() == FakeLive{}) << "something is left";
    EXPECT_EQ(runtime().cufile_handles, 0);
  }

  void expect_slab(const LoadPlan& load, const Blob& slab) const {
    const Checkpoint& checkpoint = load.checkpoint();
    for (std::uint32_t i = 0; i < checkpoint.tensor_count(); ++i) {
      const TensorInfo tensor = checkpoint.info(i);
      const Blob expected = tensor_content(plan_, tensor);
      const auto at = static_cast<std::ptrdiff_t>(load.slab_offset(tensor).value_or(0));
      ASSERT_TRUE(std::equal(expected.begin(), expected.end(), slab.begin() + at)) << tensor.name;
    }
  }

  const WritePlan plan_ = mixed_plan();
  Scratch scratch_;
  std::string path_ = scratch_.path("model.ingot");
};

// Not every file system has it.
bool needs_direct_io(Transport transport) {
  return transport == Transport::kDirect || transport == Transport::kDeviceFile;
}

using Way = std::tuple<When, Transport, StreamVerify>;
class StreamDoubleWays : public StreamDouble, public ::testing::WithParamInterface<Way> {};

TEST_P(StreamDoubleWays, ASlabAndTensorsInPlace) {
  const auto [when, transport, verify] = GetParam();
  runtime().reset({.when = when, .seed = 3});
  const std::unique_ptr<CudaDevice> gpu = open_gpu();
  const Checkpoint checkpoint = *Checkpoint::open(path_);
  const LoadPlan load = LoadPlan::for_tensors(checkpoint, {});
  const auto memory = *gpu->allocate(load.slab_bytes());
  const StreamOptions options{
      .transport = transport, .verify = verify, .staging_bytes = 300'000, .threads = 2};
  const Result<StreamReport> report = stream(load, *gpu, memory->span(), options);
  if (report.status().code() == Code::kUnsupported && needs_direct_io(transport)) {
    GTEST_SKIP() << report.status().to_string();
  }
  ASSERT_OK(report);
  expect_slab(load, download(*gpu, memory->span()));
  EXPECT_LE(report->peak_staging_bytes, options.staging_bytes);
  EXPECT_GT(report->bytes_verified, 0U);

  LoadPlan tensors(checkpoint);
  for (std::uint32_t i = 0; i < checkpoint.tensor_count(); ++i) {
    const TensorInfo tensor = checkpoint.info(i);
    std::byte* at = memory->span().data + load.slab_offset(tensor).value_or(0);
    ASSERT_OK(tensors.add(tensor, {.device = gpu.get(), .memory = {at, tensor.bytes}}));
  }
  ASSERT_OK(stream(tensors, options));
  expect_slab(load, download(*gpu, memory->span()));
}

TEST_P(StreamDoubleWays, EveryCallOfCuda) {
  const auto [when, transport, verify] = GetParam();
  const Checkpoint checkpoint = *Checkpoint::open(path_);
  const LoadPlan load = LoadPlan::for_tensors(checkpoint, {.prefix = "adam/"});
  for (std::uint64_t number = 1;; ++number) {
    SCOPED_TRACE(number);
    runtime().reset({.when = when, .seed = number});
    std::uint64_t made = 0;
    Result<StreamReport> report(Status(Code::kInternal, "not run"));
    {
      const std::unique_ptr<CudaDevice> gpu = open_gpu();
      const auto memory = *gpu->allocate(load.slab_bytes());
      const std::uint64_t before = runtime().calls();
      runtime().fail_call(number, cudaErrorUnknown);
      report = stream(
          load, *gpu, memory->span(),
          {.transport = transport, .verify = verify, .staging_bytes = 150'000, .threads = 1});
      made = runtime().calls() - before;
      runtime().fail_call(~std::uint64_t{0}, cudaErrorUnknown);
    }
    ASSERT_THAT(runtime().violations(), IsEmpty());
    ASSERT_TRUE(runtime().live() == FakeLive{});
    if (report.status().code() == Code::kUnsupported && made < number &&
        needs_direct_io(transport)) {
      GTEST_SKIP() << report.status().to_string();
    }
    if (made < number) {
      ASSERT_OK(report);
      EXPECT_GT(number, 20U);
      return;
    }
    // Restoring a thread's former device, and the like, may fail without harm to the load.
    if (!report.ok()) {
      EXPECT_THAT(report.status().code(), AnyOf(Code::kDeviceError, Code::kUnsupported,
                                                Code::kResourceExhausted, Code::kInvalidArgument))
          << report.status().to_string();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, StreamDoubleWays,
    ::testing::Combine(
        ::testing::Values(When::kLate, When::kAtOnce, When::kEveryOtherStream, When::kSeeded),
        ::testing::Values(Transport::kPageCache, Transport::kRead, Transport::kDirect,
                          Transport::kRegisteredMapping, Transport::kDeviceFile),
        ::testing::Values(StreamVerify::kTouched, StreamVerify::kOnDevice)));

// What the GPU reads itself is never in staging memory, and proven where it arrived.
TEST_F(StreamDouble, FilesThatTheDeviceReads) {
  runtime().reset({});
  const std::unique_ptr<CudaDevice> gpu = open_gpu();
  const Checkpoint checkpoint = *Checkpoint::open(path_);
  const LoadPlan load = LoadPlan::for_tensors(checkpoint, {});
  const auto memory = *gpu->allocate(load.slab_bytes());
  const StreamOptions options{.transport = Transport::kDeviceFile};
  const Result<StreamReport> report = stream(load, *gpu, memory->span(), options);
  if (report.status().code() == Code::kUnsupported) GTEST_SKIP() << report.status().to_string();
  ASSERT_OK(report);
  expect_slab(load, download(*gpu, memory->span()));
  EXPECT_EQ(report->verify, StreamVerify::kOnDevice);
  const StreamOptions staged{.transport = Transport::kRead, .verify = StreamVerify::kOnDevice};
  EXPECT_EQ(report->bytes_verified, stream(load, *gpu, memory->span(), staged)->bytes_verified);
  EXPECT_EQ(report->peak_staging_bytes, 0U);
  EXPECT_EQ(report->copies, 0U);

  runtime().options.cufile = false;
  EXPECT_THAT(stream(load, *gpu, memory->span(), options),
              StatusIs(Code::kUnsupported, ::testing::HasSubstr("cuFile is not installed")));
}

// A process that uses GPU 1 has nothing on GPU 0, whatever its threads and ours do.
TEST_F(StreamDouble, GpusThatAreNotUsedGetNoContext) {
  runtime().reset({});
  {
    const std::unique_ptr<CudaDevice> gpu = open_gpu();
    const Checkpoint checkpoint = *Checkpoint::open(path_);
    const LoadPlan load = LoadPlan::for_tensors(checkpoint, {});
    const auto memory = *gpu->allocate(load.slab_bytes());
    ASSERT_OK(
        stream(load, *gpu, memory->span(), {.verify = StreamVerify::kOnDevice, .threads = 3}));
    EXPECT_EQ(runtime().contexts, std::set<int>{kOrdinal});
    EXPECT_EQ(FakeRuntime::current_device(), kOrdinal);
  }
  // One that the thread does use is put back.
  ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
  const std::unique_ptr<CudaDevice> gpu = open_gpu();
  EXPECT_EQ(FakeRuntime::current_device(), 0);
}

// cuFile is in no stream: what the caller's has been given is waited for.
TEST_F(StreamDouble, TheDeviceReadsAfterTheCallersStream) {
  runtime().reset({.when = When::kLate});
  const std::unique_ptr<CudaDevice> gpu = open_gpu();
  const Checkpoint checkpoint = *Checkpoint::open(path_);
  const LoadPlan load = LoadPlan::for_tensors(checkpoint, {});
  const auto memory = *gpu->allocate(load.slab_bytes());
  cudaStream_t stream_of_caller = nullptr;
  ASSERT_EQ(cudaSetDevice(kOrdinal), cudaSuccess);
  ASSERT_EQ(cudaStreamCreateWithFlags(&stream_of_caller, cudaStreamNonBlocking), cudaSuccess);
  const Blob other(load.slab_bytes(), std::byte{0x77});
  const auto staging = *gpu->allocate_staging(other.size());
  std::copy(other.begin(), other.end(), staging->bytes().begin());
  ASSERT_EQ(cudaMemcpyAsync(memory->span().data, staging->bytes().data(), other.size(),
                            cudaMemcpyHostToDevice, stream_of_caller),
            cudaSuccess);
  ASSERT_OK(gpu->start_after(stream_of_caller));
  const Result<StreamReport> report =
      stream(load, *gpu, memory->span(), {.transport = Transport::kDeviceFile});
  ASSERT_EQ(cudaStreamSynchronize(stream_of_caller), cudaSuccess);
  ASSERT_EQ(cudaStreamDestroy(stream_of_caller), cudaSuccess);
  if (report.status().code() == Code::kUnsupported) GTEST_SKIP() << report.status().to_string();
  ASSERT_OK(report);
  expect_slab(load, download(*gpu, memory->span()));
}

// The digest kernel finds what went wrong between the staging memory and the device: here the file
// itself, since nothing is hashed before it arrives.
TEST_F(StreamDouble, DamageIsFoundWhereItArrived) {
  runtime().reset({});
  const std::unique_ptr<CudaDevice> gpu = open_gpu();
  const TensorInfo adam = *Checkpoint::open(path_)->find("adam/exp_avg");
  ingot::testing::flip_bit(path_,
                           ingot::testing::offset_of(*Checkpoint::open(path_), adam) + 70'000);
  const Checkpoint checkpoint = *Checkpoint::open(path_);
  const LoadPlan load = LoadPlan::for_tensors(checkpoint, {});
  const auto memory = *gpu->allocate(load.slab_bytes());
  EXPECT_THAT(
      stream(load, *gpu, memory->span(), {.verify = StreamVerify::kOnDevice}),
      StatusIs(Code::kChecksumMismatch, ::testing::HasSubstr("tensor \"adam/exp_avg\" chunk 2/")));
}

TEST_F(StreamDouble, SavesWhatLiesInItsMemory) {
  for (const When when : {When::kLate, When::kAtOnce, When::kSeeded}) {
    runtime().reset({.when = when, .seed = 4});
    const std::unique_ptr<CudaDevice> gpu = open_gpu();
    const std::string path = scratch_.path("saved");
    ASSERT_OK_AND_ASSIGN(Writer writer,
                         Writer::create(path, plan_, ingot::testing::quick_options()));
    std::vector<std::unique_ptr<DeviceBuffer>> kept;
    ASSERT_OK_AND_ASSIGN(DeviceWriter from,
                         DeviceWriter::make(writer, *gpu, {.staging_bytes = 200'000}));
    for (std::uint32_t i = 0; i < plan_.storage_bytes().size(); ++i) {
      const Blob content = storage_content(plan_, StorageId{i});
      if (content.empty()) continue;
      kept.push_back(*gpu->allocate(content.size()));
      const auto staging = *gpu->allocate_staging(content.size());
      std::copy(content.begin(), content.end(), staging->bytes().begin());
      const auto queue = *gpu->open_queue();
      Copy copy;
      copy.destination = kept.back()->span().data;
      copy.source = staging->bytes().data();
      copy.width = content.size();
      ASSERT_OK(queue->copy(copy));
      ASSERT_OK(queue->drain());
      ASSERT_OK(from.write(StorageId{i}, kept.back()->span()));
    }
    ASSERT_OK(from.finish());
    ASSERT_OK(writer.commit());
    EXPECT_EQ(ingot::testing::read_file(path), ingot::testing::read_file(path_));
  }
}

}  // namespace
}  // namespace ingot::gpu::testing
