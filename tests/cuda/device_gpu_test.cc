// The contract of devices on a real GPU. Without one the tests are skipped, and say so;
// INGOT_REQUIRE_GPU=1 makes that a failure.
#include "ingot/cuda.h"

#include "tests/device/device_contract.h"

namespace ingot::testing {
namespace {

std::string no_gpu() {
  const auto device = gpu::open_device();
  return device.ok() ? "" : "no GPU: " + device.status().to_string();
}

class GpuSubject final : public DeviceSubject {
 public:
  explicit GpuSubject(std::uint64_t scratch) : scratch_(scratch) {}
  Result<std::unique_ptr<Device>> open() override {
    INGOT_ASSIGN_OR_RETURN(auto device, gpu::open_device({.digest_scratch_bytes = scratch_}));
    return std::unique_ptr<Device>(std::move(device));
  }
  std::vector<DeviceSpan> foreign() override { return {{host_, sizeof host_}}; }

 private:
  std::uint64_t scratch_;
  std::byte host_[64] = {};
};

DeviceCase on_gpu(std::string name, std::uint64_t scratch) {
  return {.name = std::move(name),
          .make = [scratch] { return std::make_unique<GpuSubject>(scratch); },
          .lacking = no_gpu};
}

// With little scratch, ranges are cut and two launches are under way at a time.
INSTANTIATE_TEST_SUITE_P(Gpu, DeviceContract,
                         ::testing::Values(on_gpu("cuda", std::uint64_t{32} << 20),
                                           on_gpu("cuda_little_scratch", 64 << 10)),
                         case_name);

}  // namespace
}  // namespace ingot::testing
