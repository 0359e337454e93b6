// Every allocation of an open, a look-up, a read, a verification, a load and a save fails once: an
// error or std::bad_alloc, nothing leaks, and what was under the name is still there.
#include <filesystem>
#include <fstream>
#include <functional>
#include <new>
#include <optional>
#include <vector>

#include "ingot/checkpoint.h"
#include "ingot/device.h"
#include "ingot/load_plan.h"
#include "ingot/stream.h"
#include "ingot/verify.h"
#include "ingot/writer.h"

#include "tests/loader/counting_new.h"
#include "tests/loader/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

namespace ingot::testing {
namespace {

// What the process has of the operating system.
struct Held {
  std::size_t descriptors = 0;
  std::size_t mappings = 0;  // of this file
  friend bool operator==(const Held&, const Held&) = default;
};

Held held(const std::string& path) {
  Held now;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    now.descriptors += static_cast<std::size_t>(entry.is_symlink());
  }
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    now.mappings += static_cast<std::size_t>(line.ends_with(path));
  return now;
}

class MemoryFaults : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(write_sample(path_, plan_));
    root_ = Checkpoint::open(path_)->file().root;
  }

  // Runs `action` again and again, each time another of its allocations failing.
  void fail_each(const std::function<Status()>& action) {
    ASSERT_OK(action());  // what is made once, is made here
    const Held before_all = held(path_);
    std::uint64_t failed = 0;
    for (std::uint64_t n = 0;; ++n) {
      const std::uint64_t before = live_bytes();
      fail_allocation(n);
      try {
        static_cast<void>(action());
      } catch (const std::bad_alloc&) {
      }
      const bool fired = stop_failing();
      ASSERT_EQ(live_bytes(), before) << "leaked after allocation " << n;
      if (!fired) break;
      ++failed;
    }
    EXPECT_GT(failed, 1U);
    EXPECT_TRUE(held(path_) == before_all) << "a descriptor or a mapping is left";
    expect_untouched();
  }

  void expect_untouched() const {
    EXPECT_EQ(Checkpoint::open(path_)->file().root, root_);
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(scratch_.folder())) {
      static_cast<void>(entry);
      ++files;
    }
    EXPECT_EQ(files, 1U);
  }

  const WritePlan plan_ = mixed_plan();
  Scratch scratch_;
  std::string path_ = scratch_.path("model.ingot");
  Digest128 root_;
};

TEST_F(MemoryFaults, Open) {
  fail_each([&] { return Checkpoint::open(path_).status(); });
}

// An index that two threads validate, and that the first refuses: the second must hear of it even
// when there is no memory for the message.
TEST_F(MemoryFaults, OpenOfALargeRefusedIndex) {
  WritePlan large;
  for (int i = 0; i < 12'000; ++i) {
    large.add({.name = "a.layer.with.a.name.of.some.length." + std::to_string(i)});
  }
  ASSERT_OK(write_sample(path_, large));
  const FileInfo file = Checkpoint::open(path_)->file();
  ASSERT_GE(file.index_bytes, std::uint64_t{1} << 20);
  root_ = file.root;
  fail_each([&] {
    const Status status = Checkpoint::open(path_, {.limits = {.max_tensors = 1}}).status();
    return status.code() == Code::kRejected ? Status() : status;
  });
}

TEST_F(MemoryFaults, LookUpAndRead) {
  const Checkpoint checkpoint = *Checkpoint::open(path_);
  std::vector<std::byte> bytes;
  fail_each([&]() -> Status {
    const std::optional<TensorInfo> tensor = checkpoint.find("embed.weight");
    if (!tensor) return {Code::kNotFound, "not there"};
    bytes.resize(tensor->bytes);
    INGOT_RETURN_IF_ERROR(checkpoint.read(*tensor, bytes));
    INGOT_RETURN_IF_ERROR(checkpoint.view(*tensor).status());
    return checkpoint.mutable_view(*tensor).status();
  });
}

TEST_F(MemoryFaults, Verify) {
  const Checkpoint checkpoint = *Checkpoint::open(path_);
  for (const ReadPath path : {ReadPath::kMapping, ReadPath::kRead, ReadPath::kDirect}) {
    const Status can = verify(checkpoint, {.path = path, .threads = 1}).status();
    if (path == ReadPath::kDirect && can.code() == Code::kUnsupported) continue;
    for (const int threads : {1, 2}) {
      fail_each([&] { return verify(checkpoint, {.path = path, .threads = threads}).status(); });
    }
  }
}

TEST_F(MemoryFaults, Load) {
  const Checkpoint checkpoint = *Checkpoint::open(path_);
  const auto device = make_host_device({.copies = HostCopies::kDeferred});
  const LoadPlan sizes = LoadPlan::for_tensors(checkpoint, {});
  const auto memory = *device->allocate(sizes.slab_bytes());
  for (const Transport transport : {Transport::kRead, Transport::kPageCache}) {
    for (const int threads : {1, 2}) {
      fail_each([&] {
        const LoadPlan plan = LoadPlan::for_tensors(checkpoint, {});
        return stream(plan, *device, memory->span(), {.transport = transport, .threads = threads})
            .status();
      });
    }
  }
}

// One that does not come to its end leaves the former file; one that does leaves the same again.
TEST_F(MemoryFaults, Save) {
  WriterOptions options = quick_options();
  options.threads = 1;
  fail_each([&] { return write_sample(path_, plan_, options); });
}

}  // namespace
}  // namespace ingot::testing
