// Saving from a device: the same bytes as from the host, in every mode; every call failing once.
#include "ingot/device_writer.h"

#include "io/fault_file_system.h"
#include "tests/support/fault_device.h"
#include "tests/support/status_matchers.h"
#include "tests/writer/model.h"

namespace ingot::testing {
namespace {

using ::testing::HasSubstr;

Status save_from(Device& device, const Model& model, const WriterOptions& options,
                 const DeviceWriterOptions& device_options) {
  INGOT_ASSIGN_OR_RETURN(Writer writer, Writer::create("f", model.plan, options));
  INGOT_ASSIGN_OR_RETURN(DeviceWriter from, DeviceWriter::make(writer, device, device_options));
  for (std::uint32_t i = 0; i < model.content.size(); ++i) {
    // Eager or not, host devices read where the caller's bytes are.
    const Content& content = model.content[i];
    const DeviceSpan span{const_cast<std::byte*>(content.data()), content.size()};
    INGOT_RETURN_IF_ERROR(from.write(StorageId{i}, span));
  }
  INGOT_RETURN_IF_ERROR(from.finish());
  return writer.commit();
}

class DeviceWriterTest : public ::testing::TestWithParam<HostCopies> {
 protected:
  const std::unique_ptr<Device> device_ = make_host_device({.copies = GetParam(), .seed = 9});
  FaultDevice counting_{*device_};
};

TEST_P(DeviceWriterTest, EqualsAFileFromTheHost) {
  const Model model = mixed_model();
  const Content expected = saved(model);
  for (const std::uint64_t staging : {128U << 10, 500'000U, 64U << 20}) {
    io::MemoryFileSystem memory;
    memory.set_features({.direct = true});
    ASSERT_OK(save_from(counting_, model, options_on(memory), {.staging_bytes = staging}));
    EXPECT_EQ(difference(memory.content("f"), expected), "");
    EXPECT_LE(counting_.peak_staging(), staging);
    EXPECT_EQ(counting_.alive(), 0);
  }
}

TEST_P(DeviceWriterTest, PartsOfAStorage) {
  Model model;
  model.plan.add({.name = "t", .dtype = DType::kUInt8, .shape = {1'000'000}});
  model.fill();
  io::MemoryFileSystem memory;
  ASSERT_OK_AND_ASSIGN(Writer writer, Writer::create("f", model.plan, options_on(memory)));
  ASSERT_OK_AND_ASSIGN(DeviceWriter from,
                       DeviceWriter::make(writer, *device_, {.staging_bytes = 200'000}));
  std::byte* data = model.content[0].data();
  ASSERT_OK(from.write(StorageId{0}, {data, 300'000}));
  ASSERT_OK(from.write(StorageId{0}, {data + 300'000, 700'000}, 300'000));
  ASSERT_OK(from.finish());
  ASSERT_OK(writer.commit());
  EXPECT_OK(check_file(memory.content("f"), model));
}

TEST_P(DeviceWriterTest, EveryCallOfTheDevice) {
  const Model model = uniform_model(40, 30'000);
  for (std::uint64_t number = 0;; ++number) {
    io::MemoryFileSystem memory;
    counting_.fail_call(number);
    const Status status =
        save_from(counting_, model, options_on(memory), {.staging_bytes = 128 << 10});
    EXPECT_EQ(counting_.alive(), 0);
    EXPECT_EQ(counting_.freed_in_flight(), 0);
    if (!counting_.fired()) {
      ASSERT_OK(status);
      EXPECT_GT(number, 60U);
      break;
    }
    ASSERT_THAT(status, StatusIs(Code::kDeviceError, HasSubstr("injected fault"))) << number;
    EXPECT_FALSE(memory.exists("f"));
  }
}

TEST_P(DeviceWriterTest, EveryCallOfTheFileSystem) {
  const Model model = uniform_model(20, 60'000);
  for (io::Fault fault;; ++fault.at) {
    io::MemoryFileSystem memory;
    io::FaultFileSystem faults(memory);
    faults.set_fault(fault);
    const Status status =
        save_from(counting_, model, options_on(faults), {.staging_bytes = 300'000});
    EXPECT_EQ(counting_.alive(), 0);
    EXPECT_EQ(counting_.freed_in_flight(), 0);
    if (status.ok()) {
      EXPECT_OK(check_file(memory.content("f"), model));
    }
    if (!faults.fired()) {
      ASSERT_OK(status);
      break;
    }
  }
}

TEST_P(DeviceWriterTest, TooLittleStaging) {
  Model model = uniform_model(1, 10);
  io::MemoryFileSystem memory;
  ASSERT_OK_AND_ASSIGN(Writer writer, Writer::create("f", model.plan, options_on(memory)));
  EXPECT_THAT(DeviceWriter::make(writer, *device_, {.staging_bytes = 1000}),
              StatusIs(Code::kInvalidArgument, HasSubstr("at least 128.0 KiB")));
}

INSTANTIATE_TEST_SUITE_P(All, DeviceWriterTest,
                         ::testing::Values(HostCopies::kEager, HostCopies::kDeferred,
                                           HostCopies::kThreaded));

}  // namespace
}  // namespace ingot::testing
