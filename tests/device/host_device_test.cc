// The host devices keep the contract of devices, whenever they copy.
#include "tests/device/device_contract.h"

namespace ingot::testing {
namespace {

class HostSubject final : public DeviceSubject {
 public:
  explicit HostSubject(const HostDeviceOptions& options) : options_(options) {}
  Result<std::unique_ptr<Device>> open() override { return make_host_device(options_); }
  std::vector<DeviceSpan> foreign() override { return {{nullptr, 64}}; }

 private:
  const HostDeviceOptions options_;
};

DeviceCase on_host(std::string name, const HostDeviceOptions& options) {
  return {.name = std::move(name),
          .make = [options] { return std::make_unique<HostSubject>(options); }};
}

INSTANTIATE_TEST_SUITE_P(
    Host, DeviceContract,
    ::testing::Values(on_host("eager", {}), on_host("staged", {.through_staging = true}),
                      on_host("deferred", {.copies = HostCopies::kDeferred}),
                      on_host("threaded", {.copies = HostCopies::kThreaded, .seed = 1}),
                      on_host("threaded_otherwise", {.copies = HostCopies::kThreaded, .seed = 2})),
    case_name);

}  // namespace
}  // namespace ingot::testing
