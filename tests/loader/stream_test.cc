// Streaming to the host: every way to copy, every transport, every kind of destination.
#include "ingot/stream.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <random>
#include <tuple>

#include "ingot/load_plan.h"

#include "tests/loader/sample.h"
#include "tests/support/fault_device.h"
#include "tests/support/scratch.h"
#include "tests/support/status_matchers.h"

namespace ingot::testing {
namespace {

using ::testing::HasSubstr;

// A model of every kind of tensor, several chunks of most, many small ones.
WritePlan model() {
  WritePlan plan = mixed_plan();
  for (int i = 0; i < 300; ++i) {
    plan.add({.name = "small." + std::to_string(i), .shape = {1 + i % 40}, .role = Role::kBuffer});
  }
  plan.add({.name = "large", .shape = {1000, 999}});
  return plan;
}

class StreamTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(write_sample(path_, plan_)); }
  Checkpoint open() { return *Checkpoint::open(path_); }

  // Whether a slab holds, for every tensor that the plan loads, what was written.
  void expect_slab(const LoadPlan& load, const DeviceSpan& slab) {
    const Checkpoint& checkpoint = load.checkpoint();
    for (std::uint32_t i = 0; i < checkpoint.tensor_count(); ++i) {
      const TensorInfo tensor = checkpoint.info(i);
      const auto at = load.slab_offset(tensor);
      if (!at) continue;
      const Blob expected = tensor_content(plan_, tensor);
      ASSERT_LE(*at + expected.size(), slab.bytes);
      ASSERT_TRUE(std::equal(expected.begin(), expected.end(), slab.data + *at)) << tensor.name;
    }
  }

  const WritePlan plan_ = model();
  Scratch scratch_;
  std::string path_ = scratch_.path("model.ingot");
};

constexpr Role kAllRoles[] = {Role::kParameter, Role::kBuffer, Role::kOptimizerState, Role::kOther};

// The seed is that of delays, and of what is asked for.
using Way = std::tuple<HostCopies, Transport, StreamVerify, unsigned>;
class StreamWays : public StreamTest, public ::testing::WithParamInterface<Way> {
 protected:
  const unsigned seed_ = std::get<unsigned>(GetParam());
  std::unique_ptr<Device> device_ =
      make_host_device({.copies = std::get<HostCopies>(GetParam()), .seed = seed_});
  StreamOptions options_{.transport = std::get<Transport>(GetParam()),
                         .verify = std::get<StreamVerify>(GetParam()),
                         .staging_bytes = 1 << 20,
                         .threads = 3};
};

TEST_P(StreamWays, ASlab) {
  const Checkpoint checkpoint = open();
  const LoadPlan load = LoadPlan::for_roles(checkpoint, kAllRoles);
  ASSERT_OK_AND_ASSIGN(auto memory, device_->allocate(load.slab_bytes()));
  ASSERT_OK_AND_ASSIGN(const StreamReport report, stream(load, *device_, memory->span(), options_));
  expect_slab(load, memory->span());
  EXPECT_EQ(report.bytes, load.bytes());
  EXPECT_EQ(report.bytes_read, load.bytes());
  EXPECT_LE(report.peak_staging_bytes, options_.staging_bytes);
  EXPECT_EQ(report.transport, options_.transport);
  EXPECT_EQ(report.bytes_verified > 0, options_.verify != StreamVerify::kNone);
}

TEST_P(StreamWays, TensorsInPlace) {
  const Checkpoint checkpoint = open();
  LoadPlan load(checkpoint);
  std::vector<Blob> memory;
  for (std::uint32_t i = 0; i < checkpoint.tensor_count(); ++i) {
    memory.emplace_back(checkpoint.info(i).bytes, std::byte{0xEE});
  }
  // Against the order of the file.
  for (std::uint32_t i = checkpoint.tensor_count(); i-- > 0;) {
    Blob& blob = memory[i];
    ASSERT_OK(load.add(checkpoint.info(i),
                       {.device = device_.get(), .memory = {blob.data(), blob.size()}}));
  }
  ASSERT_OK(stream(load, options_));
  for (std::uint32_t i = 0; i < checkpoint.tensor_count(); ++i) {
    EXPECT_EQ(memory[i], tensor_content(plan_, checkpoint.info(i))) << checkpoint.info(i).name;
  }
}

// Slices and strided destinations by chance, against read_slice() and an element-wise scatter.
TEST_P(StreamWays, SlicesAnywhere) {
  const Checkpoint checkpoint = open();
  std::mt19937_64 random(seed_);
  const auto below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
  };
  struct Target {
    Blob memory;
    Blob expected;
  };
  std::vector<Target> targets(60);
  LoadPlan load(checkpoint);
  const char* names[] = {"embed.weight", "conv.weight", "large", "head.tail", "steps", "none"};
  for (Target& target : targets) {
    const TensorInfo tensor = *checkpoint.find(names[below(6)]);
    Slice slice;
    std::uint64_t bytes = static_cast<std::uint64_t>(dtype_bits(tensor.dtype)) / 8;
    for (const std::int64_t extent : tensor.shape) {
      slice.begin.push_back(extent == 0 ? 0 : below(extent));
      slice.end.push_back(slice.begin.back() + below(extent - slice.begin.back() + 1));
      bytes *= static_cast<std::uint64_t>(slice.end.back() - slice.begin.back());
    }
    Blob packed(bytes);
    ASSERT_OK(checkpoint.read_slice(tensor, slice, packed));
    // The destination: permuted dimensions, with a gap after each row.
    std::vector<std::size_t> order(tensor.shape.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), random);
    std::vector<std::int64_t> strides(order.size());
    std::int64_t step = 1 + below(3);
    for (const std::size_t i : order) {
      strides[i] = step;
      step = step * (slice.end[i] - slice.begin[i]) + below(3);
      if (step == 0) step = 1;
    }
    const auto size = static_cast<std::size_t>(dtype_bits(tensor.dtype) / 8);
    target.memory.assign(static_cast<std::size_t>(step) * size + 64, std::byte{0xEE});
    target.expected = target.memory;
    std::vector<std::int64_t> at(order.size(), 0);
    for (std::size_t from = 0; from < packed.size(); from += size) {
      std::size_t to = 0;
      for (std::size_t i = 0; i < at.size(); ++i)
        to += static_cast<std::size_t>(at[i] * strides[i]);
      std::memcpy(&target.expected[to * size], &packed[from], size);
      for (std::size_t i = at.size(); i-- > 0;) {
        if (++at[i] < slice.end[i] - slice.begin[i]) break;
        at[i] = 0;
      }
    }
    Destination destination{.device = device_.get(),
                            .memory = {target.memory.data(), target.memory.size()},
                            .strides = strides};
    if (tensor.shape.empty()) destination.memory.bytes = tensor.bytes;
    ASSERT_OK(load.add(tensor, slice, destination)) << tensor.name;
  }
  ASSERT_OK(stream(load, options_));
  for (const Target& target : targets) ASSERT_EQ(target.memory, target.expected);
}

TEST_P(StreamWays, DamageIsNamed) {
  const TensorInfo large = *open().find("large");
  const std::uint64_t at = offset_of(open(), large) + 3 * 65536 + 17;
  flip_bit(path_, at);
  const Checkpoint checkpoint = open();
  const LoadPlan load = LoadPlan::for_roles(checkpoint, kAllRoles);
  ASSERT_OK_AND_ASSIGN(auto memory, device_->allocate(load.slab_bytes()));
  const Result<StreamReport> report = stream(load, *device_, memory->span(), options_);
  if (options_.verify == StreamVerify::kNone) {
    EXPECT_OK(report);
    return;
  }
  ASSERT_THAT(report, StatusIs(Code::kChecksumMismatch, HasSubstr("tensor \"large\" chunk 4/")));
  const Location& where = report.status().location();
  EXPECT_LE(where.begin, at);
  EXPECT_GT(where.end, at);
  EXPECT_LE(where.end - where.begin, 65536U);

  // What is not loaded hurts nobody.
  const LoadPlan others = LoadPlan::for_tensors(checkpoint, {.prefix = "small."});
  ASSERT_OK_AND_ASSIGN(auto small, device_->allocate(others.slab_bytes()));
  ASSERT_OK(stream(others, *device_, small->span(), options_));
  expect_slab(others, small->span());
}

std::string way_name(const ::testing::TestParamInfo<Way>& info) {
  const char* copies[] = {"Eager", "Deferred", "Threaded"};
  const char* transports[] = {"Auto", "PageCache", "Read", "Direct", "Registered"};
  const char* verify[] = {"None", "Touched", "OnDevice"};
  const auto [copy, transport, level, seed] = info.param;
  return std::string(copies[static_cast<int>(copy)]) + transports[static_cast<int>(transport)] +
         verify[static_cast<int>(level)] + std::to_string(seed);
}
INSTANTIATE_TEST_SUITE_P(
    All, StreamWays,
    ::testing::Combine(
        ::testing::Values(HostCopies::kEager, HostCopies::kDeferred, HostCopies::kThreaded),
        ::testing::Values(Transport::kPageCache, Transport::kRead, Transport::kDirect,
                          Transport::kRegisteredMapping),
        ::testing::Values(StreamVerify::kNone, StreamVerify::kTouched, StreamVerify::kOnDevice),
        ::testing::Values(7U, 8U, 9U)),
    way_name);

// Damage between two tensors that are loaded, in one that is not: read over, and not hashed.
TEST_F(StreamTest, WhatLiesBetweenIsNotJudged) {
  flip_bit(path_, offset_of(open(), *open().find("small.7")));
  const Checkpoint checkpoint = open();
  LoadPlan load(checkpoint);
  Blob six(checkpoint.find("small.6")->bytes);
  Blob eight(checkpoint.find("small.8")->bytes);
  ASSERT_OK(load.add(*checkpoint.find("small.6"), {.memory = {six.data(), six.size()}}));
  ASSERT_OK(load.add(*checkpoint.find("small.8"), {.memory = {eight.data(), eight.size()}}));
  ASSERT_OK_AND_ASSIGN(const StreamReport report, stream(load));
  EXPECT_EQ(report.transfers, 1U);
  EXPECT_EQ(six, tensor_content(plan_, *checkpoint.find("small.6")));
  EXPECT_EQ(eight, tensor_content(plan_, *checkpoint.find("small.8")));
}

TEST_F(StreamTest, ManySmallTensorsAreFewTransfers) {
  const Checkpoint checkpoint = open();
  const LoadPlan load = LoadPlan::for_tensors(checkpoint, {.prefix = "small."});
  ASSERT_OK_AND_ASSIGN(const StreamPreview preview, ingot::preview(load, host_device()));
  EXPECT_EQ(preview.transfers.size(), 1U);
  EXPECT_LE(preview.copies, 2U);
  EXPECT_EQ(preview.bytes, load.bytes());
  EXPECT_FALSE(preview.reason.empty());
}

TEST_F(StreamTest, TiedTensorsAreMovedOnce) {
  const Checkpoint checkpoint = open();
  const TensorInfo embed = *checkpoint.find("embed.weight");
  const TensorInfo head = *checkpoint.find("head.weight");
  LoadPlan load(checkpoint);
  Blob memory(embed.bytes);
  ASSERT_OK(load.add(embed, {.memory = {memory.data(), memory.size()}}));
  ASSERT_OK(load.add(head, {.memory = {memory.data(), memory.size()}}));
  ASSERT_OK_AND_ASSIGN(const StreamReport report, stream(load));
  EXPECT_EQ(report.bytes, embed.bytes);
  EXPECT_EQ(report.bytes_read, embed.bytes);
  EXPECT_EQ(memory, tensor_content(plan_, embed));
}

TEST_F(StreamTest, SeveralDevices) {
  const Checkpoint checkpoint = open();
  const auto deferred = make_host_device({.copies = HostCopies::kDeferred});
  const auto threaded = make_host_device({.copies = HostCopies::kThreaded, .seed = 3});
  Device* devices[] = {deferred.get(), threaded.get(), nullptr};
  LoadPlan load(checkpoint);
  std::vector<Blob> memory;
  for (std::uint32_t i = 0; i < checkpoint.tensor_count(); ++i) {
    memory.emplace_back(checkpoint.info(i).bytes);
  }
  for (std::uint32_t i = 0; i < checkpoint.tensor_count(); ++i) {
    ASSERT_OK(load.add(checkpoint.info(i),
                       {.device = devices[i % 3], .memory = {memory[i].data(), memory[i].size()}}));
  }
  ASSERT_OK(stream(load, {.staging_bytes = 1 << 20, .threads = 2}));
  for (std::uint32_t i = 0; i < checkpoint.tensor_count(); ++i) {
    EXPECT_EQ(memory[i], tensor_content(plan_, checkpoint.info(i))) << checkpoint.info(i).name;
  }
}

TEST_F(StreamTest, NothingToLoad) {
  const Checkpoint checkpoint = open();
  ASSERT_OK_AND_ASSIGN(const StreamReport report, stream(LoadPlan(checkpoint)));
  EXPECT_EQ(report.bytes, 0U);
  const LoadPlan none = LoadPlan::for_tensors(checkpoint, {.prefix = "no such"});
  EXPECT_EQ(none.slab_bytes(), 0U);
  ASSERT_OK(stream(none, host_device(), {}));
}

TEST_F(StreamTest, BudgetsHold) {
  const Checkpoint checkpoint = open();
  const LoadPlan load = LoadPlan::for_roles(checkpoint, kAllRoles);
  const auto device = make_host_device({.copies = HostCopies::kDeferred});
  FaultDevice counting(*device);
  ASSERT_OK_AND_ASSIGN(auto memory, device->allocate(load.slab_bytes()));
  for (const std::uint64_t budget : {74000U, 150000U, 700000U, 64U << 20}) {
    ASSERT_OK_AND_ASSIGN(
        const StreamReport report,
        stream(load, counting, memory->span(), {.staging_bytes = budget, .threads = 4}));
    EXPECT_LE(counting.peak_staging(), budget);
    EXPECT_EQ(report.peak_staging_bytes <= budget, true);
    expect_slab(load, memory->span());
  }
  EXPECT_THAT(stream(load, counting, memory->span(), {.staging_bytes = 65536}),
              StatusIs(Code::kResourceExhausted, HasSubstr("at least 73728, found 65536")));
}

// Where page-locked memory has a quota below the budget: fewer slots, and an error when not one is
// to be had.
TEST_F(StreamTest, FewerSlotsWhereThereIsNotSoMuchMemory) {
  const Checkpoint checkpoint = open();
  const LoadPlan load = LoadPlan::for_roles(checkpoint, kAllRoles);
  const auto device = make_host_device({.copies = HostCopies::kDeferred});
  ASSERT_OK_AND_ASSIGN(auto memory, device->allocate(load.slab_bytes()));
  const StreamOptions options{.staging_bytes = 700000, .threads = 1};
  ASSERT_OK_AND_ASSIGN(const StreamReport all, stream(load, *device, memory->span(), options));
  ASSERT_GT(all.peak_staging_bytes, 2 * all.slot_bytes);
  for (const std::uint64_t slots : {2U, 1U}) {
    FaultDevice limited(*device);
    limited.limit_staging(slots * all.slot_bytes);
    ASSERT_OK_AND_ASSIGN(memory, device->allocate(load.slab_bytes()));
    ASSERT_OK_AND_ASSIGN(const StreamReport report, stream(load, limited, memory->span(), options));
    EXPECT_LE(report.peak_staging_bytes, slots * all.slot_bytes);
    expect_slab(load, memory->span());
  }
  // Memory for one of three workers: it does the work of all.
  FaultDevice for_one(*device);
  for_one.limit_staging(all.slot_bytes);
  ASSERT_OK_AND_ASSIGN(memory, device->allocate(load.slab_bytes()));
  StreamOptions threads = options;
  threads.threads = 3;
  ASSERT_OK(stream(load, for_one, memory->span(), threads));
  EXPECT_LE(for_one.peak_staging(), all.slot_bytes);
  expect_slab(load, memory->span());

  FaultDevice without(*device);
  without.limit_staging(1000);
  const Result<StreamReport> none = stream(load, without, memory->span(), options);
  EXPECT_THAT(none, StatusIs(Code::kResourceExhausted, HasSubstr("no more memory")));
  EXPECT_FALSE(none.status().location().tensor.empty());
  EXPECT_LT(none.status().location().begin, none.status().location().end);
}

// Of the process, mapped from files, those of tmpfs too: bytes.
std::uint64_t resident_of_files() {
  std::ifstream status("/proc/self/status");
  std::uint64_t sum = 0;
  for (std::string word; status >> word;) {
    std::uint64_t kib = 0;
    if ((word == "RssFile:" || word == "RssShmem:") && status >> kib) sum += kib << 10;
  }
  EXPECT_GT(sum, 0U) << "/proc/self/status has no RssFile";
  return sum;
}

// What passes through a mapping does not stay in the resident set.
TEST(StreamMemory, AMappingIsNotKept) {
  constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
  const Scratch scratch;
  WritePlan plan;
  plan.add({.name = "large", .shape = {16, 1024, 1024}});
  ASSERT_OK(write_sample(scratch.path("f"), plan));
  const Checkpoint checkpoint = *Checkpoint::open(scratch.path("f"));
  const LoadPlan load = LoadPlan::for_tensors(checkpoint, {});
  const auto device = make_host_device({.copies = HostCopies::kDeferred});
  for (const Transport transport : {Transport::kPageCache, Transport::kRegisteredMapping}) {
    ASSERT_OK_AND_ASSIGN(const auto memory, device->allocate(load.slab_bytes()));
    const std::uint64_t before = resident_of_files();
    std::uint64_t most = 0;
    const StreamOptions options{.transport = transport,
                                .staging_bytes = 8 * kMiB,
                                .threads = 1,
                                .progress = {[](void* peak, std::uint64_t, std::uint64_t) {
                                               auto& most_seen = *static_cast<std::uint64_t*>(peak);
                                               most_seen = std::max(most_seen, resident_of_files());
                                             },
                                             &most}};
    ASSERT_OK(stream(load, *device, memory->span(), options));
    EXPECT_LT(most, before + 24 * kMiB) << transport_name(transport);
    EXPECT_LT(resident_of_files(), before + 8 * kMiB) << transport_name(transport);
  }
}

TEST_F(StreamTest, RefusesWrongDestinations) {
  const Checkpoint checkpoint = open();
  const TensorInfo embed = *checkpoint.find("embed.weight");
  LoadPlan load(checkpoint);
  Blob memory(embed.bytes + 4096);
  const auto code = Code::kInvalidArgument;
  EXPECT_THAT(load.add(embed, {.memory = {memory.data(), embed.bytes - 1}}),
              StatusIs(code, HasSubstr("embed.weight")));
  EXPECT_THAT(load.add(embed, {.memory = {memory.data(), embed.bytes}, .strides = {502, 1}}),
              StatusIs(code, HasSubstr("at least")));
  EXPECT_THAT(load.add(embed, {.memory = {memory.data(), embed.bytes}, .strides = {501}}),
              StatusIs(code, HasSubstr("rank")));
  EXPECT_THAT(load.add(embed, {.memory = {memory.data(), embed.bytes}, .strides = {0, 1}}),
              StatusIs(code, HasSubstr("lie upon each other")));
  EXPECT_THAT(load.add(embed, {.memory = {memory.data(), embed.bytes}, .strides = {-501, 1}}),
              StatusIs(code, HasSubstr("negative")));
  EXPECT_THAT(load.add(embed, {.memory = {memory.data(), embed.bytes},
                               .strides = {std::int64_t{1} << 62, 1}}),
              StatusIs(code, HasSubstr("too large")));
  EXPECT_EQ(load.bytes(), 0U);
  ASSERT_OK(load.add(embed, {.memory = {nullptr, embed.bytes}}));
  EXPECT_THAT(stream(load), StatusIs(code, HasSubstr("without memory")));

  LoadPlan slab = LoadPlan::for_roles(checkpoint, {Role::kParameter});
  EXPECT_THAT(slab.add(embed, {.memory = {memory.data(), embed.bytes}}), StatusIs(code));
  EXPECT_THAT(stream(slab), StatusIs(code, HasSubstr("needs a slab")));
  ASSERT_OK_AND_ASSIGN(auto big, host_device().allocate(slab.slab_bytes() + 4096));
  EXPECT_THAT(stream(slab, host_device(), {big->span().data, slab.slab_bytes() - 1}),
              StatusIs(code, HasSubstr("too small")));
  EXPECT_THAT(stream(slab, host_device(), {big->span().data + 16, slab.slab_bytes()}),
              StatusIs(code, HasSubstr("aligned")));
  EXPECT_THAT(stream(load, host_device(), big->span()), StatusIs(code));
}

// Whoever was refused may go: its device is none of the plan's.
TEST_F(StreamTest, WhatWasRefusedLeavesNoDevice) {
  const Checkpoint checkpoint = open();
  const TensorInfo embed = *checkpoint.find("embed.weight");
  TensorInfo edited = embed;
  const std::int64_t longer[] = {101, 501};
  edited.shape = longer;
  FaultDevice refused(host_device());
  Blob memory(101 * 501 * 4);
  LoadPlan load(checkpoint);
  EXPECT_THAT(
      load.add(edited, Slice{}, {.device = &refused, .memory = {memory.data(), memory.size()}}),
      StatusIs(Code::kInvalidArgument));
  ASSERT_OK(load.add(embed, {.memory = {memory.data(), embed.bytes}}));
  ASSERT_OK(stream(load));
  EXPECT_EQ(refused.calls(), 0U);
}

TEST_F(StreamTest, ReportsProgressAndStops) {
  const Checkpoint checkpoint = open();
  const LoadPlan load = LoadPlan::for_roles(checkpoint, kAllRoles);
  ASSERT_OK_AND_ASSIGN(auto memory, host_device().allocate(load.slab_bytes()));
  struct Seen {
    std::uint64_t calls = 0;
    std::uint64_t last = 0;
    std::uint64_t total = 0;
    CancelFlag cancel{false};
    std::uint64_t cancel_at = ~std::uint64_t{0};
  };
  const auto note = [](void* context, std::uint64_t done, std::uint64_t total) {
    auto& seen = *static_cast<Seen*>(context);
    EXPECT_GT(done, seen.last);
    seen.last = done;
    seen.total = total;
    if (++seen.calls == seen.cancel_at) seen.cancel = true;
  };
  Seen all;
  const auto device = make_host_device({.copies = HostCopies::kThreaded});
  StreamOptions options{.staging_bytes = 1 << 20, .progress = {note, &all}};
  ASSERT_OK(stream(load, *device, memory->span(), options));
  EXPECT_EQ(all.last, load.bytes());
  EXPECT_EQ(all.total, load.bytes());

  Seen some;
  some.cancel_at = 2;
  options.progress.context = &some;
  options.cancel = &some.cancel;
  EXPECT_THAT(stream(load, *device, memory->span(), options), StatusIs(Code::kCancelled));
  EXPECT_LT(some.last, load.bytes());
}

// A bit flips on the way to the device, in each copy in turn: proven where it arrived, it is found,
// also when a tensor goes to two places.
TEST_F(StreamTest, WhatArrivesDamagedIsFoundOnTheDevice) {
  const Checkpoint checkpoint = open();
  const auto base = make_host_device({.through_staging = true});
  FaultDevice device(*base);
  const TensorInfo embed = *checkpoint.find("embed.weight");
  const TensorInfo large = *checkpoint.find("large");
  for (std::uint64_t number = 0;; ++number) {
    std::vector<Blob> memory;
    for (const std::uint64_t bytes : {embed.bytes, embed.bytes, large.bytes}) {
      memory.emplace_back(bytes);
    }
    LoadPlan load(checkpoint);
    for (std::size_t i = 0; i < memory.size(); ++i) {
      ASSERT_OK(load.add(i < 2 ? embed : large,
                         {.device = &device, .memory = {memory[i].data(), memory[i].size()}}));
    }
    device.damage_copy(number);
    const Result<StreamReport> report =
        stream(load, {.verify = StreamVerify::kOnDevice, .staging_bytes = 300'000, .threads = 1});
    if (device.copies() <= number) {
      ASSERT_OK(report);
      EXPECT_EQ(report->bytes_verified, 2 * embed.bytes + large.bytes);
      EXPECT_GT(number, 20U);
      break;
    }
    ASSERT_THAT(report, StatusIs(Code::kChecksumMismatch, HasSubstr("tensor \""))) << number;
  }
}

// A cancelled load is cancelled, also when the flag is taken back before it ends.
TEST_F(StreamTest, ACancelThatIsTakenBack) {
  const Checkpoint checkpoint = open();
  const LoadPlan load = LoadPlan::for_roles(checkpoint, kAllRoles);
  const auto base = make_host_device({.through_staging = true});
  ASSERT_OK_AND_ASSIGN(auto memory, base->allocate(load.slab_bytes()));
  CancelFlag flag{false};
  // Set after the first transfer, taken back when the workers have stopped.
  const auto set = [](void* context, std::uint64_t, std::uint64_t) {
    *static_cast<CancelFlag*>(context) = true;
  };
  FaultDevice device(*base);
  device.on_drain = [&flag] { flag = false; };
  EXPECT_THAT(
      stream(load, device, memory->span(),
             {.staging_bytes = 150'000, .threads = 1, .progress = {set, &flag}, .cancel = &flag}),
      StatusIs(Code::kCancelled));
}

// The last bytes of a slab lie behind the last byte of data where an empty storage ends it.
TEST_F(StreamTest, SlabsThatEndInNothing) {
  WritePlan plan;
  plan.add({.name = "a", .dtype = DType::kUInt8, .shape = {10}});
  plan.add({.name = "nothing", .shape = {0}});
  const std::string path = scratch_.path("end.ingot");
  ASSERT_OK(write_sample(path, plan));
  const Checkpoint checkpoint = *Checkpoint::open(path);
  const LoadPlan load = LoadPlan::for_tensors(checkpoint, {});
  for (const StreamVerify verify : {StreamVerify::kNone, StreamVerify::kTouched}) {
    ASSERT_OK_AND_ASSIGN(auto memory, host_device().allocate(load.slab_bytes()));
    ASSERT_OK_AND_ASSIGN(const StreamReport report,
                         stream(load, host_device(), memory->span(), {.verify = verify}));
    EXPECT_EQ(report.bytes, load.bytes());
  }
}

// Every call to the device fails once: one error, nothing in flight, nothing left.
class StreamFaults : public StreamTest,
                     public ::testing::WithParamInterface<std::tuple<HostCopies, Transport>> {};

TEST_P(StreamFaults, EveryCallOfTheDevice) {
  const Checkpoint checkpoint = open();
  const auto [copies, transport] = GetParam();
  const auto base = make_host_device({.copies = copies, .seed = 5});
  FaultDevice device(*base);
  for (const StreamVerify verify : {StreamVerify::kTouched, StreamVerify::kOnDevice}) {
    int unnamed = 0;
    for (std::uint64_t number = 0;; ++number) {
      const LoadPlan load = LoadPlan::for_roles(checkpoint, {Role::kOptimizerState});
      ASSERT_OK_AND_ASSIGN(auto memory, base->allocate(load.slab_bytes()));
      device.fail_call(number);
      const Result<StreamReport> report =
          stream(load, device, memory->span(),
                 {.transport = transport, .verify = verify, .staging_bytes = 150000, .threads = 2});
      EXPECT_EQ(device.alive(), 0);
      EXPECT_EQ(device.freed_in_flight(), 0);
      if (!device.fired()) {
        ASSERT_OK(report);
        expect_slab(load, memory->span());
        EXPECT_GT(number, copies == HostCopies::kEager ? 4U : 15U) << "calls";
        break;
      }
      ASSERT_THAT(report, StatusIs(Code::kDeviceError, HasSubstr("injected fault"))) << number;
      const Location& where = report.status().location();
      if (where.tensor.empty()) {
        ++unnamed;
      } else {
        EXPECT_THAT(std::string(report.status().message()), HasSubstr("tensor \""));
        EXPECT_LT(where.begin, where.end);
      }
    }
    // Before the load: whether the destination is the device's, and whether it computes digests.
    EXPECT_EQ(unnamed, verify == StreamVerify::kOnDevice ? 2 : 1);
  }
}
INSTANTIATE_TEST_SUITE_P(
    All, StreamFaults,
    ::testing::Combine(
        ::testing::Values(HostCopies::kEager, HostCopies::kDeferred, HostCopies::kThreaded),
        ::testing::Values(Transport::kRead, Transport::kPageCache, Transport::kRegisteredMapping)));

}  // namespace
}  // namespace ingot::testing
