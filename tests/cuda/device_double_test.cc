// The CUDA device keeps the contract of devices, on the double, whenever things happen there.
#include "ingot/cuda.h"

#include "tests/cuda/fake_runtime.h"
#include "tests/device/device_contract.h"

namespace ingot::testing {
namespace {

using gpu::testing::FakeLive;
using gpu::testing::FakeOptions;
using gpu::testing::FakeRuntime;
using gpu::testing::When;

class DoubleSubject final : public DeviceSubject {
 public:
  explicit DoubleSubject(const FakeOptions& options) {
    FakeRuntime::get().reset(options);
    void* pointer = nullptr;
    static_cast<void>(cudaMalloc(&pointer, sizeof host_));
    elsewhere_ = static_cast<std::byte*>(pointer);
  }
  // Not the device that is current, so that one that is forgotten to be made current shows.
  Result<std::unique_ptr<Device>> open() override {
    // Little scratch: ranges are cut.
    INGOT_ASSIGN_OR_RETURN(
        auto device, gpu::open_device({.ordinal = kOrdinal, .digest_scratch_bytes = 64 << 10}));
    return std::unique_ptr<Device>(std::move(device));
  }
  std::vector<DeviceSpan> foreign() override {
    return {{host_, sizeof host_}, {elsewhere_, sizeof host_}};
  }
  bool fail_call(std::uint64_t n) override {
    // A former device cannot be made current again by a call that fails.
    FakeRuntime::current_device() = 0;
    calls_fail_ = true;
    FakeRuntime::get().fail_call(n, cudaErrorInvalidValue);
    return true;
  }
  std::uint64_t calls() override { return FakeRuntime::get().calls(); }
  std::vector<std::string> complaints() override {
    std::vector<std::string> found = FakeRuntime::get().violations();
    static_cast<void>(cudaFree(elsewhere_));
    if (FakeRuntime::get().live() != FakeLive{}) found.emplace_back("something is left");
    if (FakeRuntime::current_device() != 0 && !calls_fail_)
      found.emplace_back("another device is current");
    if (FakeRuntime::get().last_error() != cudaSuccess) found.emplace_back("an error is left");
    return found;
  }

 private:
  static constexpr int kOrdinal = 1;

  std::byte host_[64] = {};
  std::byte* elsewhere_ = nullptr;
  bool calls_fail_ = false;
};

DeviceCase on_double(std::string name, const FakeOptions& options) {
  return {.name = std::move(name),
          .make = [options] { return std::make_unique<DoubleSubject>(options); }};
}

INSTANTIATE_TEST_SUITE_P(
    Double, DeviceContract,
    ::testing::Values(on_double("late", {.when = When::kLate}),
                      on_double("at_once", {.when = When::kAtOnce}),
                      on_double("every_other_stream", {.when = When::kEveryOtherStream}),
                      on_double("seed_1", {.when = When::kSeeded, .seed = 1}),
                      on_double("seed_2", {.when = When::kSeeded, .seed = 2}),
                      on_double("narrow", {.largest_pitch = 40}),
                      on_double("no_read_only", {.read_only_registration = false})),
    case_name);

}  // namespace
}  // namespace ingot::testing
