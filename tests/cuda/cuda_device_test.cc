// What ingot::cuda promises beyond the contract of devices, on the double.
#include <sys/mman.h>

#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "ingot/cuda.h"

#include "tests/cuda/fake_runtime.h"
#include "tests/cuda/random_bytes.h"
#include "tests/support/status_matchers.h"

namespace ingot::gpu::testing {
namespace {

using ingot::testing::IsOk;
using ingot::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CudaDeviceTest : public ::testing::Test {
 protected:
  CudaDeviceTest() { start({}); }
  ~CudaDeviceTest() override {
    target_.reset();
    slot_.reset();
    device_.reset();
    EXPECT_THAT(runtime().violations(), IsEmpty());
    EXPECT_EQ(runtime().live().allocations, 0u);
    EXPECT_EQ(runtime().live().registrations, 0u);
  }

  static FakeRuntime& runtime() { return FakeRuntime::get(); }

  // A device with one slot of 1000 bytes and as much memory.
  void start(const FakeOptions& options) {
    target_.reset();
    slot_.reset();
    device_.reset();
    runtime().reset(options);
    static_cast<void>(cudaSetDevice(0));  // the one that the thread uses
    device_ = *open_device({.ordinal = 1});
    slot_ = *device_->allocate_staging(kBytes);
    target_ = *device_->allocate(kBytes);
  }

  void fill(int value) {
    std::fill(slot_->bytes().begin(), slot_->bytes().end(), static_cast<std::byte>(value));
  }
  Copy upload() const {
    return {.destination = target_->span().data, .source = slot_->bytes().data(), .width = kBytes};
  }
  Copy five_rows() const {
    Copy copy = upload();
    copy.width = 10;
    copy.rows = 5;
    copy.destination_pitch = copy.source_pitch = 100;
    return copy;
  }
  int arrived() { return std::to_integer<int>(*runtime().shadow(target_->span().data, 1)); }

  // What a program does on its own stream: copies the target to pinned memory of its own.
  cudaStream_t callers_stream() {
    cudaStream_t stream = nullptr;
    static_cast<void>(cudaSetDevice(1));
    EXPECT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
    static_cast<void>(cudaSetDevice(0));
    return stream;
  }
  void read_on(cudaStream_t stream, StagingBuffer& into) {
    EXPECT_EQ(cudaMemcpyAsync(into.bytes().data(), target_->span().data, kBytes,
                              cudaMemcpyDeviceToHost, stream),
              cudaSuccess);
  }

  static constexpr std::uint64_t kBytes = 1000;
  std::unique_ptr<CudaDevice> device_;
  std::unique_ptr<StagingBuffer> slot_;
  std::unique_ptr<DeviceBuffer> target_;
};

TEST_F(CudaDeviceTest, SaysWhatItIs) {
  EXPECT_EQ(device_->kind(), DeviceKind::kCuda);
  EXPECT_EQ(device_->ordinal(), 1);
  EXPECT_EQ(device_->description(), "cuda:1 (Double, 1.0 GiB)");
  EXPECT_FALSE(device_->host_accessible());
}

TEST_F(CudaDeviceTest, CountsDevices) {
  ASSERT_OK_AND_ASSIGN(const int count, device_count());
  EXPECT_EQ(count, 2);
  EXPECT_THAT(open_device({.ordinal = 2}).status(),
              StatusIs(Code::kInvalidArgument, AllOf(HasSubstr("cuda:2"), HasSubstr("0 to 1"))));
  EXPECT_THAT(open_device({.ordinal = -1}).status(), StatusIs(Code::kInvalidArgument));
}

TEST(CudaDeviceCount, NoneIsNoError) {
  FakeRuntime::get().reset({.devices = 0});
  ASSERT_OK_AND_ASSIGN(const int count, device_count());
  EXPECT_EQ(count, 0);
  EXPECT_THAT(open_device().status(), StatusIs(Code::kUnsupported, HasSubstr("cudaErrorNoDevice")));
  EXPECT_EQ(FakeRuntime::get().last_error(), cudaSuccess);
}

TEST_F(CudaDeviceTest, LackOfMemorySaysHowMuchWasAskedForAndIsFree) {
  EXPECT_THAT(device_->allocate(std::uint64_t{2} << 30).status(),
              StatusIs(Code::kResourceExhausted, AllOf(HasSubstr("cuda:1"), HasSubstr("2.0 GiB"),
                                                       HasSubstr("free of 1.0 GiB"))));
  runtime().fail_call(3, cudaErrorMemoryAllocation);
  EXPECT_THAT(device_->allocate_staging(5 << 20).status(),
              StatusIs(Code::kResourceExhausted, HasSubstr("5.0 MiB")));
  EXPECT_EQ(runtime().last_error(), cudaSuccess);
}

// What the double is for: a slot that is filled before its fence is reached.
TEST_F(CudaDeviceTest, ReuseOfASlotBeforeItsFenceShows) {
  ASSERT_OK_AND_ASSIGN(const auto queue, device_->open_queue());
  fill(1);
  ASSERT_THAT(queue->copy(upload()), IsOk());
  ASSERT_OK_AND_ASSIGN(const Fence fence, queue->record());
  fill(2);
  ASSERT_THAT(queue->wait(fence), IsOk());
  EXPECT_EQ(arrived(), 2);
}

TEST_F(CudaDeviceTest, AQueueStartsAfterTheCallersStream) {
  const cudaStream_t stream = callers_stream();
  ASSERT_OK_AND_ASSIGN(const auto before, device_->allocate_staging(kBytes));
  ASSERT_OK_AND_ASSIGN(const auto queue, device_->open_cuda_queue());
  read_on(stream, *before);
  ASSERT_THAT(queue->start_after(stream), IsOk());
  fill(1);
  ASSERT_THAT(queue->copy(upload()), IsOk());
  ASSERT_THAT(queue->drain(), IsOk());
  EXPECT_EQ(arrived(), 1);
  ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_EQ(before->bytes()[0], std::byte{0xA5});  // what was there before the copy
}

TEST_F(CudaDeviceTest, AllLaterQueuesStartAfterTheCallersStream) {
  const cudaStream_t stream = callers_stream();
  ASSERT_OK_AND_ASSIGN(const auto before, device_->allocate_staging(kBytes));
  read_on(stream, *before);
  ASSERT_THAT(device_->start_after(stream), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto queue, device_->open_queue());
  fill(1);
  ASSERT_THAT(queue->copy(upload()), IsOk());
  ASSERT_THAT(queue->drain(), IsOk());
  ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_EQ(before->bytes()[0], std::byte{0xA5});
}

TEST_F(CudaDeviceTest, DigestsComeAfterTheCallersStream) {
  const cudaStream_t stream = callers_stream();
  fill(3);
  ASSERT_EQ(cudaMemcpyAsync(target_->span().data, slot_->bytes().data(), kBytes,
                            cudaMemcpyHostToDevice, stream),
            cudaSuccess);
  ASSERT_THAT(device_->start_after(stream), IsOk());
  const DeviceSpan range = target_->span();
  Digest128 digest;
  ASSERT_THAT(device_->digest(std::span(&range, 1), std::span(&digest, 1)), IsOk());
  EXPECT_EQ(digest, digest_of(slot_->bytes()));
}

TEST_F(CudaDeviceTest, TheCallersStreamWaitsForAFenceAndTheHostDoesNot) {
  const cudaStream_t stream = callers_stream();
  ASSERT_OK_AND_ASSIGN(const auto after, device_->allocate_staging(kBytes));
  ASSERT_OK_AND_ASSIGN(const auto queue, device_->open_cuda_queue());
  fill(1);
  ASSERT_THAT(queue->copy(upload()), IsOk());
  ASSERT_OK_AND_ASSIGN(const Fence fence, queue->record());
  ASSERT_THAT(queue->hold_stream(stream, fence), IsOk());
  EXPECT_EQ(arrived(), 0xA5);  // nobody has waited yet
  read_on(stream, *after);
  ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_EQ(after->bytes()[0], std::byte{1});
  ASSERT_THAT(queue->drain(), IsOk());
  EXPECT_THAT(queue->hold_stream(stream, fence), IsOk());  // reached long ago
}

TEST_F(CudaDeviceTest, AStreamOfAnotherDeviceIsRefusedAndTheQueueWorksOn) {
  cudaStream_t stream = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);  // of 0
  ASSERT_OK_AND_ASSIGN(const auto queue, device_->open_cuda_queue());
  EXPECT_THAT(queue->start_after(stream),
              StatusIs(Code::kDeviceError, HasSubstr("cudaErrorInvalidResourceHandle")));
  fill(1);
  ASSERT_THAT(queue->copy(upload()), IsOk());
  ASSERT_THAT(queue->drain(), IsOk());
  EXPECT_EQ(arrived(), 1);
  EXPECT_EQ(runtime().last_error(), cudaSuccess);
}

TEST_F(CudaDeviceTest, FencesOfOthersAreRefused) {
  ASSERT_OK_AND_ASSIGN(const auto queue, device_->open_cuda_queue());
  EXPECT_THAT(queue->wait({.number = 1}), StatusIs(Code::kInvalidArgument));
  EXPECT_THAT(queue->query({.number = 7}).status(), StatusIs(Code::kInvalidArgument));
  EXPECT_THAT(queue->hold_stream(nullptr, {.number = 1}), StatusIs(Code::kInvalidArgument));
}

TEST_F(CudaDeviceTest, AQueryThatIsNotReadyLeavesNoError) {
  ASSERT_OK_AND_ASSIGN(const auto queue, device_->open_queue());
  ASSERT_THAT(queue->copy(upload()), IsOk());
  ASSERT_OK_AND_ASSIGN(const Fence fence, queue->record());
  ASSERT_OK_AND_ASSIGN(const bool reached, queue->query(fence));
  EXPECT_FALSE(reached);
  EXPECT_EQ(runtime().last_error(), cudaSuccess);
}

TEST_F(CudaDeviceTest, EventsAreUsedAgain) {
  ASSERT_OK_AND_ASSIGN(const auto queue, device_->open_queue());
  for (int i = 0; i < 1000; ++i) {
    ASSERT_THAT(queue->copy(upload()), IsOk());
    ASSERT_OK_AND_ASSIGN(const Fence fence, queue->record());
    ASSERT_THAT(queue->wait(fence), IsOk());
  }
  EXPECT_EQ(runtime().live().events, 1u);
}

TEST_F(CudaDeviceTest, RowsAreOneCall) {
  ASSERT_OK_AND_ASSIGN(const auto queue, device_->open_queue());
  ASSERT_THAT(queue->copy(five_rows()), IsOk());
  EXPECT_EQ(runtime().calls_of("cudaMemcpy2DAsync"), 1u);
  EXPECT_EQ(runtime().calls_of("cudaMemcpyAsync"), 0u);
  ASSERT_THAT(queue->drain(), IsOk());
}

TEST_F(CudaDeviceTest, RowsThatAreTooFarApartAreACallEach) {
  start({.largest_pitch = 99});
  ASSERT_OK_AND_ASSIGN(const auto queue, device_->open_queue());
  ASSERT_THAT(queue->copy(five_rows()), IsOk());
  EXPECT_EQ(runtime().calls_of("cudaMemcpy2DAsync"), 0u);
  EXPECT_EQ(runtime().calls_of("cudaMemcpyAsync"), 5u);
  ASSERT_THAT(queue->drain(), IsOk());
}

// The queue's first failure is what it says from then on, until it is drained.
TEST_F(CudaDeviceTest, AFailedCopyIsRemembered) {
  ASSERT_OK_AND_ASSIGN(const auto queue, device_->open_queue());
  ASSERT_THAT(queue->copy(upload()), IsOk());
  runtime().fail_call(3, cudaErrorInvalidValue);  // after asking for and setting the device
  EXPECT_THAT(queue->copy(upload()),
              StatusIs(Code::kDeviceError, AllOf(HasSubstr("cudaMemcpyAsync on cuda:1"),
                                                 HasSubstr("cudaErrorInvalidValue"))));
  EXPECT_THAT(queue->copy(upload()), StatusIs(Code::kDeviceError));
  EXPECT_THAT(queue->record().status(), StatusIs(Code::kDeviceError));
  EXPECT_THAT(queue->drain(), StatusIs(Code::kDeviceError, HasSubstr("cudaMemcpyAsync")));
  EXPECT_EQ(runtime().last_error(), cudaSuccess);
}

// Waiting fails, and nothing is in flight all the same.
TEST_F(CudaDeviceTest, DrainWaitsForTheDeviceWhenTheStreamCannotBeWaitedFor) {
  ASSERT_OK_AND_ASSIGN(auto queue, device_->open_queue());
  fill(1);
  ASSERT_THAT(queue->copy(upload()), IsOk());
  runtime().fail_call(3, cudaErrorInvalidValue);
  EXPECT_THAT(queue->drain(), StatusIs(Code::kDeviceError, HasSubstr("cudaStreamSynchronize")));
  fill(2);
  queue.reset();
  EXPECT_EQ(arrived(), 1);
}

// An error that ends the context, at every call: reported as such, nothing hangs, all is given
// back.
TEST_F(CudaDeviceTest, AnErrorThatEndsTheContextIsSaidToBeOne) {
  const auto use = [this]() -> Status {
    INGOT_ASSIGN_OR_RETURN(const auto device, open_device({.ordinal = 1}));
    INGOT_ASSIGN_OR_RETURN(const auto slot, device->allocate_staging(kBytes));
    INGOT_ASSIGN_OR_RETURN(const auto target, device->allocate(kBytes));
    INGOT_ASSIGN_OR_RETURN(const auto queue, device->open_queue());
    INGOT_RETURN_IF_ERROR(queue->copy(
        {.destination = target->span().data, .source = slot->bytes().data(), .width = kBytes}));
    INGOT_ASSIGN_OR_RETURN(const Fence fence, queue->record());
    INGOT_RETURN_IF_ERROR(queue->wait(fence));
    INGOT_RETURN_IF_ERROR(queue->drain());
    const DeviceSpan range = target->span();
    Digest128 digest;
    return device->digest(std::span(&range, 1), std::span(&digest, 1));
  };
  const std::uint64_t before = runtime().calls();
  ASSERT_THAT(use(), IsOk());
  const std::uint64_t calls = runtime().calls() - before;
  int said = 0;
  for (std::uint64_t n = 1; n <= calls; ++n) {
    start({});
    runtime().fail_call(n, cudaErrorIllegalAddress, FakeRuntime::Lasting::kForever);
    const Status status = use();
    if (status.ok()) continue;  // one of the last calls, which give back
    ++said;
    EXPECT_THAT(status, StatusIs(Code::kDeviceError, AllOf(HasSubstr("cudaErrorIllegalAddress"),
                                                           HasSubstr("started anew"))))
        << "call " << n;
    EXPECT_EQ(runtime().live().streams, 0u) << "call " << n;
    EXPECT_EQ(runtime().live().events, 0u) << "call " << n;
  }
  EXPECT_GT(said, static_cast<int>(calls) / 2);
}

TEST_F(CudaDeviceTest, DestinationsElsewhereAreNamed) {
  std::byte host[16] = {};
  EXPECT_THAT(device_->check_destination({host, 16}),
              StatusIs(Code::kInvalidArgument,
                       AllOf(HasSubstr("memory of cuda:1"), HasSubstr("does not know"))));
  EXPECT_THAT(device_->check_destination({slot_->bytes().data(), 16}),
              StatusIs(Code::kInvalidArgument, HasSubstr("page-locked host memory")));
  ASSERT_OK_AND_ASSIGN(const auto other, open_device({.ordinal = 0}));
  EXPECT_THAT(other->check_destination(target_->span()),
              StatusIs(Code::kInvalidArgument,
                       AllOf(HasSubstr("memory of cuda:0"), HasSubstr("memory of cuda:1"))));
  EXPECT_THAT(device_->check_destination({target_->span().data, kBytes + 1}),
              StatusIs(Code::kInvalidArgument, HasSubstr("last byte")));
  EXPECT_THAT(device_->check_destination({target_->span().data, ~std::uint64_t{0}}),
              StatusIs(Code::kInvalidArgument));
}

// Memory that may only be read, as a mapped file is.
class ReadOnlyPages {
 public:
  ReadOnlyPages() {
    data_ = static_cast<std::byte*>(
        mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    const std::vector<std::byte> bytes = random_bytes(kBytes, 1);
    std::memcpy(data_, bytes.data(), kBytes);
    mprotect(data_, kBytes, PROT_READ);
  }
  ~ReadOnlyPages() { munmap(data_, kBytes); }
  ReadOnlyPages(const ReadOnlyPages&) = delete;
  ReadOnlyPages& operator=(const ReadOnlyPages&) = delete;
  std::span<const std::byte> bytes() const { return {data_, kBytes}; }

 private:
  static constexpr std::size_t kBytes = 3 * 4096;
  std::byte* data_;
};

TEST_F(CudaDeviceTest, AMappingIsRegisteredForReading) {
  const ReadOnlyPages pages;
  ASSERT_OK_AND_ASSIGN(const auto registration, device_->register_host(pages.bytes().subspan(7)));
  EXPECT_EQ(runtime().live().registrations, 2u);  // and the slot
  EXPECT_NE(runtime().registration_at(pages.bytes().data(), pages.bytes().size()), nullptr);
  ASSERT_OK_AND_ASSIGN(const auto queue, device_->open_queue());
  ASSERT_THAT(queue->copy({.destination = target_->span().data,
                           .source = pages.bytes().data() + 7,
                           .width = kBytes}),
              IsOk());
  ASSERT_THAT(queue->drain(), IsOk());
  EXPECT_EQ(0, std::memcmp(runtime().shadow(target_->span().data, kBytes), pages.bytes().data() + 7,
                           kBytes));
}

TEST_F(CudaDeviceTest, AMappingThatCannotBeRegisteredIsRefusedWithTheReason) {
  const ReadOnlyPages pages;
  {
    ASSERT_OK_AND_ASSIGN(const auto registration, device_->register_host(pages.bytes()));
    EXPECT_THAT(device_->register_host(pages.bytes()).status(),
                StatusIs(Code::kUnsupported, HasSubstr("cudaErrorHostMemoryAlreadyRegistered")));
  }
  EXPECT_THAT(device_->register_host({}).status(), StatusIs(Code::kUnsupported));
  start({.read_only_registration = false});
  EXPECT_THAT(device_->register_host(pages.bytes()).status(),
              StatusIs(Code::kUnsupported, HasSubstr("cudaErrorInvalidValue")));
}

TEST_F(CudaDeviceTest, MemoryThatMayBeWrittenNeedsNoSupportForReadOnly) {
  start({.read_only_registration = false});
  const std::vector<std::byte> bytes = random_bytes(10000, 2);
  ASSERT_OK_AND_ASSIGN(const auto registration, device_->register_host(bytes));
  EXPECT_EQ(runtime().live().registrations, 2u);
}

TEST_F(CudaDeviceTest, DigestsTakeAsMuchMemoryAsTheOptionsSay) {
  for (const std::uint64_t scratch :
       {std::uint64_t{0}, std::uint64_t{1} << 20, std::uint64_t{32} << 20}) {
    ASSERT_OK_AND_ASSIGN(const auto device,
                         open_device({.ordinal = 1, .digest_scratch_bytes = scratch}));
    const std::uint64_t before = runtime().used(1);
    const DeviceSpan range = target_->span();
    Digest128 digest;
    ASSERT_THAT(device->digest(std::span(&range, 1), std::span(&digest, 1)), IsOk());
    EXPECT_EQ(digest, digest_of({runtime().shadow(range.data, kBytes), kBytes}));
    EXPECT_LE(runtime().used(1) - before, scratch + (4u << 20));
  }
}

TEST_F(CudaDeviceTest, ManySmallDigestsAreFewLaunches) {
  const DeviceSpan range = target_->span();
  const std::vector<DeviceSpan> ranges(100000, range);
  std::vector<Digest128> digests(ranges.size());
  ASSERT_THAT(device_->digest(ranges, digests), IsOk());
  EXPECT_EQ(runtime().calls_of("chains"), 4u);
  EXPECT_EQ(digests, std::vector<Digest128>(ranges.size(), digests[0]));
}

TEST_F(CudaDeviceTest, RangesWithoutDigestsAreRefused) {
  Digest128 digest;
  EXPECT_THAT(device_->digest({}, std::span(&digest, 1)), StatusIs(Code::kInvalidArgument));
  EXPECT_THAT(device_->digest({}, {}), IsOk());
}

// A range that is no memory: the kernel fails, late, and the error comes out where it is waited
// for.
TEST(CudaDigest, AKernelThatFailsIsReported) {
  FakeRuntime::get().reset();
  ASSERT_OK_AND_ASSIGN(const auto device, open_device());
  const DeviceSpan range{reinterpret_cast<std::byte*>(4096), 5000};
  Digest128 digest;
  EXPECT_THAT(device->digest(std::span(&range, 1), std::span(&digest, 1)),
              StatusIs(Code::kDeviceError, HasSubstr("started anew")));
}

}  // namespace
}  // namespace ingot::gpu::testing
