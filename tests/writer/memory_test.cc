// The writer never holds what it writes: its memory is its staging buffer.
#include <chrono>
#include <thread>

#include "ingot/writer.h"

#include "io/fault_file_system.h"
#include "tests/support/peak_memory.h"
#include "tests/support/sanitized.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

namespace ingot::testing {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

// A budget that its slots do not divide into whole huge pages is a budget all the same.
TEST(WriterMemory, IsBoundedByAnOddStagingToo) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer takes memory of its own";
  constexpr std::uint64_t kTensorBytes = 200 * kMiB;
  const Scratch scratch;
  // Slow enough for all slots to be in use.
  io::FaultFileSystem slow(io::posix());
  slow.set_observer([](std::uint64_t, io::Call call, const std::string&) {
    if (call == io::Call::kWrite) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  });
  const std::vector<std::byte> bytes(kTensorBytes, std::byte{7});
  WritePlan plan;
  plan.add({.name = "t", .dtype = DType::kUInt8, .shape = {kTensorBytes}});
  for (const std::uint64_t staging : {20 * kMiB, 26 * kMiB}) {
    WriterOptions options;
    options.durability = Durability::kNone;
    options.direct = DirectIo::kOff;
    options.staging_bytes = staging;
    options.file_system = &slow;
    const std::uint64_t peak = peak_memory_of([&] {
      ASSERT_OK_AND_ASSIGN(Writer writer,
                           Writer::create(scratch.path("model.ingot"), plan, options));
      ASSERT_OK(writer.write(TensorId{0}, bytes));
      ASSERT_OK(writer.commit());
    });
    EXPECT_LE(peak, staging + 3 * kMiB);
  }
}

TEST(WriterMemory, IsBoundedByItsStaging) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer takes memory of its own";
  constexpr std::uint64_t kTensorBytes = 16 * kMiB;
  constexpr int kTensors = 24;
  const Scratch scratch;
  const std::vector<std::byte> bytes(kTensorBytes, std::byte{7});
  struct Way {
    DirectIo direct;
    bool read_back;
  };
  for (const Way way : {Way{DirectIo::kAuto, false}, Way{DirectIo::kOff, false},
                        Way{DirectIo::kAuto, true}, Way{DirectIo::kOff, true}}) {
    WritePlan plan;
    for (int i = 0; i < kTensors; ++i) {
      plan.add({.name = std::to_string(i), .dtype = DType::kUInt8, .shape = {kTensorBytes}});
    }
    WriterOptions options;
    options.durability = Durability::kNone;
    options.direct = way.direct;
    options.read_back = way.read_back;
    options.staging_bytes = 32 * kMiB;  // all of it is used
    const std::uint64_t peak = peak_memory_of([&] {
      ASSERT_OK_AND_ASSIGN(Writer writer,
                           Writer::create(scratch.path("model.ingot"), plan, options));
      for (std::uint32_t i = 0; i < kTensors; ++i) ASSERT_OK(writer.write(TensorId{i}, bytes));
      ASSERT_OK(writer.commit());
    });
    EXPECT_LE(peak, options.staging_bytes + 8 * kMiB) << "384 MiB were written";
  }
}

}  // namespace
}  // namespace ingot::testing
