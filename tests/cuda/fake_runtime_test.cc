// The double notices what it is there to notice.
#include "tests/cuda/fake_runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <vector>

#include "cuda/digest_kernel.h"

namespace ingot::gpu::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Double : public ::testing::Test {
 protected:
  Double() { FakeRuntime::get().reset(); }

  static std::byte* allocate(std::size_t bytes) {
    void* pointer = nullptr;
    EXPECT_EQ(cudaMalloc(&pointer, bytes), cudaSuccess);
    return static_cast<std::byte*>(pointer);
  }
  static cudaStream_t stream() {
    cudaStream_t made = nullptr;
    EXPECT_EQ(cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking), cudaSuccess);
    return made;
  }
  static cudaEvent_t event() {
    cudaEvent_t made = nullptr;
    EXPECT_EQ(cudaEventCreateWithFlags(&made, cudaEventDisableTiming), cudaSuccess);
    return made;
  }
  void pin() {
    ASSERT_EQ(cudaHostRegister(host_.data(), host_.size(), cudaHostRegisterDefault), cudaSuccess);
  }
  cudaError_t to_device(std::byte* to, cudaStream_t on) {
    return cudaMemcpyAsync(to, host_.data(), host_.size(), cudaMemcpyHostToDevice, on);
  }
  static int first_byte(const std::byte* device) {
    return std::to_integer<int>(*FakeRuntime::get().shadow(device, 1));
  }
  static const std::vector<std::string>& violations() { return FakeRuntime::get().violations(); }

  std::vector<std::byte> host_ = std::vector<std::byte>(100, std::byte{1});
};

TEST_F(Double, PinnedMemoryIsReadLate) {
  pin();
  std::byte* device = allocate(100);
  const cudaStream_t on = stream();
  ASSERT_EQ(to_device(device, on), cudaSuccess);
  host_[0] = std::byte{2};
  ASSERT_EQ(cudaStreamSynchronize(on), cudaSuccess);
  EXPECT_EQ(first_byte(device), 2);
}

TEST_F(Double, PageableMemoryIsReadInTheCallAndArrivesLate) {
  std::byte* device = allocate(100);
  const cudaStream_t on = stream();
  ASSERT_EQ(to_device(device, on), cudaSuccess);
  host_[0] = std::byte{2};
  EXPECT_EQ(first_byte(device), 0xA5);
  ASSERT_EQ(cudaStreamSynchronize(on), cudaSuccess);
  EXPECT_EQ(first_byte(device), 1);
}

TEST_F(Double, AnEventIsNotReadyForAWhileAndIsThenReached) {
  pin();
  std::byte* device = allocate(100);
  const cudaStream_t on = stream();
  const cudaEvent_t done = event();
  ASSERT_EQ(to_device(device, on), cudaSuccess);
  ASSERT_EQ(cudaEventRecord(done, on), cudaSuccess);
  EXPECT_EQ(cudaEventQuery(done), cudaErrorNotReady);
  EXPECT_EQ(cudaGetLastError(), cudaErrorNotReady);
  EXPECT_EQ(cudaEventQuery(done), cudaErrorNotReady);
  EXPECT_EQ(first_byte(device), 0xA5);
  EXPECT_EQ(cudaEventQuery(done), cudaSuccess);
  EXPECT_EQ(first_byte(device), 1);
}

TEST_F(Double, AStreamWaitsForWhatAnEventWasWhenItWasTold) {
  pin();
  std::byte* device = allocate(200);
  const cudaStream_t first = stream();
  const cudaStream_t second = stream();
  const cudaEvent_t done = event();
  ASSERT_EQ(to_device(device, first), cudaSuccess);
  ASSERT_EQ(cudaEventRecord(done, first), cudaSuccess);
  ASSERT_EQ(cudaStreamWaitEvent(second, done, 0), cudaSuccess);
  ASSERT_EQ(to_device(device + 100, first), cudaSuccess);
  ASSERT_EQ(cudaEventRecord(done, first), cudaSuccess);
  ASSERT_EQ(cudaStreamSynchronize(second), cudaSuccess);
  EXPECT_EQ(first_byte(device), 1);
  EXPECT_EQ(first_byte(device + 100), 0xA5);
}

TEST_F(Double, NotesMemoryThatGoesBeforeItsWork) {
  pin();
  std::byte* device = allocate(100);
  const cudaStream_t on = stream();
  ASSERT_EQ(to_device(device, on), cudaSuccess);
  EXPECT_THAT(violations(), IsEmpty());
  ASSERT_EQ(cudaFree(device), cudaSuccess);
  EXPECT_THAT(violations(), Contains(HasSubstr("freed before")));
}

TEST_F(Double, NotesMemoryThatIsUnregisteredOrRegisteredAnew) {
  pin();
  std::byte* device = allocate(100);
  const cudaStream_t on = stream();
  ASSERT_EQ(to_device(device, on), cudaSuccess);
  ASSERT_EQ(cudaHostUnregister(host_.data()), cudaSuccess);
  EXPECT_THAT(violations(), Contains(HasSubstr("unregistered before")));
  pin();
  ASSERT_EQ(cudaStreamSynchronize(on), cudaSuccess);
  EXPECT_THAT(violations(), Contains(HasSubstr("memory that is gone")));
}

TEST_F(Double, WorkOutlivesItsStream) {
  pin();
  std::byte* device = allocate(100);
  const cudaStream_t on = stream();
  ASSERT_EQ(to_device(device, on), cudaSuccess);
  ASSERT_EQ(cudaStreamDestroy(on), cudaSuccess);
  EXPECT_EQ(first_byte(device), 0xA5);
  ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  EXPECT_EQ(first_byte(device), 1);
}

TEST_F(Double, NotesACopyAcrossTheEndOfARegistration) {
  ASSERT_EQ(cudaHostRegister(host_.data(), 50, cudaHostRegisterDefault), cudaSuccess);
  EXPECT_EQ(to_device(allocate(100), stream()), cudaErrorInvalidValue);
  EXPECT_THAT(violations(), Contains(HasSubstr("across the end")));
}

TEST_F(Double, NotesWorkOnAStreamOfAnotherDevice) {
  const cudaStream_t on = stream();
  const cudaEvent_t here = event();
  ASSERT_EQ(cudaSetDevice(1), cudaSuccess);
  EXPECT_EQ(launch_chains({.item_count = 1}, on), cudaErrorInvalidResourceHandle);
  EXPECT_THAT(violations(), Contains(HasSubstr("another device")));
  EXPECT_EQ(cudaEventRecord(here, stream()), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaEventRecord(here, nullptr), cudaErrorInvalidResourceHandle);
}

TEST_F(Double, AKernelThatReadsElsewhereEndsTheContext) {
  const cudaStream_t on = stream();
  ASSERT_EQ(launch_chains({.item_count = 1}, on), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(on), cudaErrorIllegalAddress);
  EXPECT_EQ(cudaGetLastError(), cudaErrorIllegalAddress);
  EXPECT_EQ(cudaGetLastError(), cudaErrorIllegalAddress);
  void* pointer = nullptr;
  EXPECT_EQ(cudaMalloc(&pointer, 1), cudaErrorIllegalAddress);
}

TEST_F(Double, FailsTheCallThatItWasTold) {
  FakeRuntime::get().fail_call(2, cudaErrorInvalidValue);
  int device = 0;
  EXPECT_EQ(cudaGetDevice(&device), cudaSuccess);
  EXPECT_EQ(cudaGetDevice(&device), cudaErrorInvalidValue);
  EXPECT_EQ(cudaGetDevice(&device), cudaSuccess);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidValue);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

TEST_F(Double, CountsWhatIsLeft) {
  pin();
  std::byte* device = allocate(1);
  const cudaStream_t on = stream();
  const cudaEvent_t done = event();
  EXPECT_EQ(FakeRuntime::get().live(),
            (FakeLive{.streams = 1, .events = 1, .registrations = 1, .allocations = 1}));
  ASSERT_EQ(cudaFree(device), cudaSuccess);
  ASSERT_EQ(cudaHostUnregister(host_.data()), cudaSuccess);
  ASSERT_EQ(cudaStreamDestroy(on), cudaSuccess);
  ASSERT_EQ(cudaEventDestroy(done), cudaSuccess);
  EXPECT_EQ(FakeRuntime::get().live(), FakeLive{});
}

}  // namespace
}  // namespace ingot::gpu::testing
