// What every Device must do (ingot/device.h), as one suite of tests. A test program that has a
// device includes this once and says how to get it:
//
//   INSTANTIATE_TEST_SUITE_P(Host, DeviceContract, testing::Values(DeviceCase{
//       .name = "deferred", .make = [] { return std::make_unique<MySubject>(); }}), case_name);
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "ingot/device.h"

#include "tests/support/status_matchers.h"

namespace ingot::testing {

// A kind of device, and what can be done to what it stands on. Lives longer than its devices.
class DeviceSubject {
 public:
  virtual ~DeviceSubject() = default;
  virtual Result<std::unique_ptr<Device>> open() = 0;

  // Ranges that check_destination() must reject.
  virtual std::vector<DeviceSpan> foreign() { return {}; }

  // Makes the n-th call (1 is the next) to what the device stands on fail. False: cannot be done.
  virtual bool fail_call(std::uint64_t /*n*/) { return false; }
  // Calls so far.
  virtual std::uint64_t calls() { return 0; }
  // Misuse and leaks so far; asked when no device and nothing of one is left.
  virtual std::vector<std::string> complaints() { return {}; }
};

struct DeviceCase {
  std::string name;
  std::function<std::unique_ptr<DeviceSubject>()> make;
  // Why there is no such device here; empty when there is one.
  std::function<std::string()> lacking = [] { return std::string(); };
};

inline std::string case_name(const ::testing::TestParamInfo<DeviceCase>& info) {
  return info.param.name;
}
inline void PrintTo(const DeviceCase& value, std::ostream* out) { *out << value.name; }

inline std::vector<std::byte> contract_bytes(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::byte> bytes(count);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() >> 56);
  return bytes;
}

class DeviceContract : public ::testing::TestWithParam<DeviceCase> {
 protected:
  void SetUp() override {
    if (const std::string reason = GetParam().lacking(); !reason.empty()) {
      const char* required = std::getenv("INGOT_REQUIRE_GPU");
      if (required != nullptr && std::string(required) == "1") {
        FAIL() << "INGOT_REQUIRE_GPU=1, but " << reason;
      }
      GTEST_SKIP() << "skipped, " << reason;
    }
    subject_ = GetParam().make();
    auto device = subject_->open();
    ASSERT_THAT(device.status(), IsOk());
    device_ = *std::move(device);
  }
  void TearDown() override {
    device_.reset();
    if (!subject_) return;
    EXPECT_THAT(subject_->complaints(), ::testing::IsEmpty());
  }

  DeviceSubject& subject() { return *subject_; }
  Device& device() { return *device_; }

  std::unique_ptr<StagingBuffer> staging(std::uint64_t bytes) {
    auto made = device().allocate_staging(bytes);
    EXPECT_THAT(made.status(), IsOk());
    return *std::move(made);
  }
  std::unique_ptr<StagingBuffer> staged(std::span<const std::byte> bytes) {
    auto buffer = staging(bytes.size());
    std::copy(bytes.begin(), bytes.end(), buffer->bytes().begin());
    return buffer;
  }
  std::unique_ptr<DeviceBuffer> memory(std::uint64_t bytes) {
    auto made = device().allocate(bytes);
    EXPECT_THAT(made.status(), IsOk());
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>((*made)->span().data) % 256, 0U) << "for a slab";
    return *std::move(made);
  }
  std::unique_ptr<CopyQueue> queue() {
    auto made = device().open_queue();
    EXPECT_THAT(made.status(), IsOk());
    return *std::move(made);
  }

  static Copy to_device(std::byte* destination, std::span<const std::byte> source) {
    return {.destination = destination, .source = source.data(), .width = source.size()};
  }
  static Copy from_device(std::span<std::byte> destination, const std::byte* source) {
    return {.destination = destination.data(),
            .source = source,
            .width = destination.size(),
            .direction = CopyDirection::kFromDevice};
  }

  // By a queue and a buffer of their own, and done when they return.
  void write(const DeviceSpan& to, std::span<const std::byte> bytes) {
    const auto buffer = staged(bytes);
    const auto line = queue();
    ASSERT_THAT(line->copy(to_device(to.data, buffer->bytes())), IsOk());
    ASSERT_THAT(line->drain(), IsOk());
  }
  std::vector<std::byte> read(const DeviceSpan& from) {
    const auto buffer = staging(from.bytes);
    const auto line = queue();
    EXPECT_THAT(line->copy(from_device(buffer->bytes(), from.data)), IsOk());
    EXPECT_THAT(line->drain(), IsOk());
    return {buffer->bytes().begin(), buffer->bytes().end()};
  }

 private:
  std::unique_ptr<DeviceSubject> subject_;
  std::unique_ptr<Device> device_;
};

TEST_P(DeviceContract, SaysWhatItIs) {
  EXPECT_FALSE(device().description().empty());
  EXPECT_GE(device().ordinal(), 0);
}

TEST_P(DeviceContract, StagingIsAlignedAndAsLargeAsAskedFor) {
  for (const std::uint64_t bytes : {1u, 4095u, 4096u, 100000u, 3u << 20}) {
    const auto buffer = staging(bytes);
    ASSERT_EQ(buffer->bytes().size(), bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer->bytes().data()) % 4096, 0u);
    std::fill(buffer->bytes().begin(), buffer->bytes().end(), std::byte{7});
  }
}

TEST_P(DeviceContract, BytesArriveAndComeBack) {
  for (const std::size_t size : {1u, 15u, 4096u, 65537u, (1u << 20) + 3}) {
    const std::vector<std::byte> bytes = contract_bytes(size, size);
    const auto target = memory(size);
    write(target->span(), bytes);
    EXPECT_EQ(read(target->span()), bytes) << size;
  }
}

TEST_P(DeviceContract, EmptyCopiesDoNothing) {
  const auto line = queue();
  EXPECT_THAT(line->copy({}), IsOk());
  EXPECT_THAT(line->copy({.width = 5, .rows = 0}), IsOk());
  EXPECT_THAT(line->drain(), IsOk());
}

TEST_P(DeviceContract, CopiesOfAQueueHappenInOrder) {
  const auto target = memory(1000);
  const auto first = staged(contract_bytes(1000, 1));
  const auto second = staged(contract_bytes(1000, 2));
  const auto back = staging(1000);
  const auto line = queue();
  ASSERT_THAT(line->copy(to_device(target->span().data, first->bytes())), IsOk());
  ASSERT_THAT(line->copy(to_device(target->span().data, second->bytes())), IsOk());
  ASSERT_THAT(line->copy(from_device(back->bytes(), target->span().data)), IsOk());
  ASSERT_THAT(line->copy(to_device(target->span().data, first->bytes())), IsOk());
  ASSERT_THAT(line->drain(), IsOk());
  EXPECT_THAT(back->bytes(), ::testing::ElementsAreArray(second->bytes()));
  EXPECT_EQ(read(target->span()), contract_bytes(1000, 1));
}

TEST_P(DeviceContract, FencesAreReachedInOrder) {
  const auto target = memory(5 * 1000);
  const auto source = staged(contract_bytes(1000, 1));
  const auto line = queue();
  std::vector<Fence> fences;
  for (std::size_t i = 0; i < 5; ++i) {
    ASSERT_THAT(line->copy(to_device(target->span().data + 1000 * i, source->bytes())), IsOk());
    ASSERT_OK_AND_ASSIGN(const Fence fence, line->record());
    fences.push_back(fence);
  }
  ASSERT_THAT(line->wait({}), IsOk());
  ASSERT_THAT(line->wait(fences[2]), IsOk());
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_OK_AND_ASSIGN(const bool reached, line->query(fences[i]));
    EXPECT_TRUE(reached) << i;
  }
  for (bool reached = false; !reached;) {
    ASSERT_OK_AND_ASSIGN(reached, line->query(fences[4]));
  }
  ASSERT_THAT(line->wait(fences[3]), IsOk());
  ASSERT_THAT(line->wait(fences[4]), IsOk());
}

// A ring of two slots, as a pipeline has it.
TEST_P(DeviceContract, ASlotMayBeFilledAnewWhenItsFenceIsReached) {
  constexpr std::size_t kSlot = 3000;
  constexpr std::size_t kSlots = 20;
  const std::vector<std::byte> bytes = contract_bytes(kSlot * kSlots, 3);
  const auto target = memory(bytes.size());
  const std::unique_ptr<StagingBuffer> ring[] = {staging(kSlot), staging(kSlot)};
  Fence fences[2];
  const auto line = queue();
  for (std::size_t i = 0; i < kSlots; ++i) {
    ASSERT_THAT(line->wait(fences[i % 2]), IsOk());
    const std::span<std::byte> slot = ring[i % 2]->bytes();
    std::memcpy(slot.data(), bytes.data() + kSlot * i, kSlot);
    ASSERT_THAT(line->copy(to_device(target->span().data + kSlot * i, slot)), IsOk());
    ASSERT_OK_AND_ASSIGN(fences[i % 2], line->record());
  }
  ASSERT_THAT(line->drain(), IsOk());
  EXPECT_EQ(read(target->span()), bytes);
}

TEST_P(DeviceContract, FencesOfAQueueAreItsOwn) {
  const auto target = memory(2000);
  const auto source = staged(contract_bytes(1000, 1));
  const auto one = queue();
  const auto other = queue();
  ASSERT_THAT(one->copy(to_device(target->span().data, source->bytes())), IsOk());
  ASSERT_OK_AND_ASSIGN(const Fence fence, one->record());
  ASSERT_THAT(other->copy(to_device(target->span().data + 1000, source->bytes())), IsOk());
  ASSERT_OK_AND_ASSIGN(const Fence other_fence, other->record());
  ASSERT_THAT(one->wait(fence), IsOk());
  ASSERT_THAT(other->wait(other_fence), IsOk());
  EXPECT_EQ(read({target->span().data + 1000, 1000}), contract_bytes(1000, 1));
}

struct Pitches {
  std::uint64_t source;
  std::uint64_t destination;
};

// Rows to the device, and what lies between them stays.
TEST_P(DeviceContract, RowsToTheDevice) {
  constexpr std::uint64_t kWidth = 37;
  constexpr std::uint64_t kRows = 11;
  for (const auto& [from_pitch, to_pitch] :
       {Pitches{37, 37}, Pitches{64, 37}, Pitches{37, 101}, Pitches{50, 128}, Pitches{20, 40}}) {
    const std::vector<std::byte> source = contract_bytes(from_pitch * kRows + kWidth, 5);
    std::vector<std::byte> expected = contract_bytes(to_pitch * kRows + kWidth, 6);
    const auto target = memory(expected.size());
    write(target->span(), expected);
    const auto slot = staged(source);
    const auto line = queue();
    ASSERT_THAT(line->copy({.destination = target->span().data,
                            .source = slot->bytes().data(),
                            .width = kWidth,
                            .rows = kRows,
                            .destination_pitch = to_pitch,
                            .source_pitch = from_pitch}),
                IsOk());
    ASSERT_THAT(line->drain(), IsOk());
    for (std::uint64_t row = 0; row < kRows; ++row) {
      std::memcpy(&expected[row * to_pitch], &source[row * from_pitch], kWidth);
    }
    EXPECT_EQ(read(target->span()), expected) << from_pitch << " to " << to_pitch;
  }
}

TEST_P(DeviceContract, RowsFromTheDevice) {
  constexpr std::uint64_t kWidth = 37;
  constexpr std::uint64_t kRows = 11;
  for (const auto& [from_pitch, to_pitch] :
       {Pitches{37, 37}, Pitches{64, 37}, Pitches{37, 101}, Pitches{50, 128}, Pitches{20, 40}}) {
    const std::vector<std::byte> source = contract_bytes(from_pitch * kRows + kWidth, 7);
    std::vector<std::byte> expected = contract_bytes(to_pitch * kRows + kWidth, 8);
    const auto target = memory(source.size());
    write(target->span(), source);
    const auto slot = staged(expected);
    const auto line = queue();
    ASSERT_THAT(line->copy({.destination = slot->bytes().data(),
                            .source = target->span().data,
                            .width = kWidth,
                            .rows = kRows,
                            .destination_pitch = to_pitch,
                            .source_pitch = from_pitch,
                            .direction = CopyDirection::kFromDevice}),
                IsOk());
    ASSERT_THAT(line->drain(), IsOk());
    for (std::uint64_t row = 0; row < kRows; ++row) {
      std::memcpy(&expected[row * to_pitch], &source[row * from_pitch], kWidth);
    }
    EXPECT_THAT(slot->bytes(), ::testing::ElementsAreArray(expected));
  }
}

TEST_P(DeviceContract, PitchesOfOneRowMeanNothing) {
  const auto target = memory(100);
  const auto slot = staged(contract_bytes(100, 1));
  Copy copy = to_device(target->span().data, slot->bytes());
  copy.destination_pitch = 3;
  copy.source_pitch = ~std::uint64_t{0};
  const auto line = queue();
  ASSERT_THAT(line->copy(copy), IsOk());
  ASSERT_THAT(line->drain(), IsOk());
  EXPECT_EQ(read(target->span()), contract_bytes(100, 1));
}

// And the queue works on.
TEST_P(DeviceContract, ImpossibleCopiesAreRefused) {
  const auto target = memory(1000);
  const auto slot = staged(contract_bytes(1000, 1));
  Copy overlapping = to_device(target->span().data, slot->bytes().first(100));
  overlapping.rows = 2;
  overlapping.destination_pitch = 99;
  overlapping.source_pitch = 100;
  Copy endless = overlapping;
  endless.rows = ~std::uint64_t{0};
  endless.destination_pitch = 100;
  endless.source_pitch = 0;
  Copy from_beyond = overlapping;
  from_beyond.rows = 3;
  from_beyond.destination_pitch = 100;
  from_beyond.source_pitch = std::uint64_t{1} << 63;
  const Copy nowhere = to_device(nullptr, slot->bytes());
  const auto line = queue();
  for (const Copy& copy : {overlapping, endless, from_beyond, nowhere}) {
    EXPECT_THAT(line->copy(copy), StatusIs(Code::kInvalidArgument));
  }
  ASSERT_THAT(line->copy(to_device(target->span().data, slot->bytes())), IsOk());
  ASSERT_THAT(line->drain(), IsOk());
  EXPECT_EQ(read(target->span()), contract_bytes(1000, 1));
}

TEST_P(DeviceContract, AQueueThatEndsHasWaitedForItsCopies) {
  const auto target = memory(1000);
  auto slot = staged(contract_bytes(1000, 1));
  {
    const auto line = queue();
    ASSERT_THAT(line->copy(to_device(target->span().data, slot->bytes())), IsOk());
  }
  slot.reset();
  EXPECT_EQ(read(target->span()), contract_bytes(1000, 1));
}

TEST_P(DeviceContract, QueuesOfSeveralThreads) {
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kPart = 50000;
  const std::vector<std::byte> bytes = contract_bytes(kThreads * kPart, 9);
  const auto target = memory(bytes.size());
  std::vector<Status> results(kThreads);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      const auto run = [&]() -> Status {
        INGOT_ASSIGN_OR_RETURN(const auto slot, device().allocate_staging(kPart));
        std::memcpy(slot->bytes().data(), bytes.data() + i * kPart, kPart);
        INGOT_ASSIGN_OR_RETURN(const auto line, device().open_queue());
        INGOT_RETURN_IF_ERROR(
            line->copy(to_device(target->span().data + i * kPart, slot->bytes())));
        INGOT_ASSIGN_OR_RETURN(const Fence fence, line->record());
        return line->wait(fence);
      };
      results[i] = run();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Status& status : results) EXPECT_THAT(status, IsOk());
  EXPECT_EQ(read(target->span()), bytes);
}

TEST_P(DeviceContract, ItsOwnMemoryIsADestination) {
  const auto target = memory(1000);
  EXPECT_THAT(device().check_destination(target->span()), IsOk());
  EXPECT_THAT(device().check_destination({target->span().data + 999, 1}), IsOk());
  EXPECT_THAT(device().check_destination({}), IsOk());
}

TEST_P(DeviceContract, OtherMemoryIsNone) {
  EXPECT_THAT(device().check_destination({nullptr, 1}), StatusIs(Code::kInvalidArgument));
  for (const DeviceSpan& span : subject().foreign()) {
    EXPECT_THAT(device().check_destination(span), StatusIs(Code::kInvalidArgument));
  }
}

TEST_P(DeviceContract, MemoryOfOthersIsCopiedFromOrRefusedWithAReason) {
  std::vector<std::byte> bytes = contract_bytes(20000, 4);
  const auto target = memory(bytes.size() - 100);
  const std::span<const std::byte> part = std::span(bytes).subspan(100);
  {
    const auto registration = device().register_host(part);
    if (!registration.ok()) {
      EXPECT_THAT(registration.status(), StatusIs(Code::kUnsupported));
      EXPECT_FALSE(registration.status().message().empty());
      return;
    }
    const auto line = queue();
    ASSERT_THAT(line->copy(to_device(target->span().data, part)), IsOk());
    ASSERT_THAT(line->drain(), IsOk());
  }
  EXPECT_EQ(read(target->span()), std::vector<std::byte>(part.begin(), part.end()));
}

TEST_P(DeviceContract, DigestsAreThoseOfTheLibrary) {
  const std::vector<std::byte> bytes = contract_bytes((2 << 20) + 100, 5);
  const auto target = memory(bytes.size());
  write(target->span(), bytes);
  std::vector<std::pair<std::size_t, std::size_t>> parts;  // offset, length
  for (std::size_t length = 0; length < 2500; ++length) parts.emplace_back(length % 17, length);
  for (const std::size_t offset : {0u, 1u, 4u, 8u, 16u}) {
    parts.emplace_back(offset, 1u << 20);
    parts.emplace_back(offset, (2u << 20) + 3);
  }
  std::vector<DeviceSpan> ranges;
  for (const auto& [offset, length] : parts)
    ranges.push_back({target->span().data + offset, length});
  std::vector<Digest128> digests(ranges.size());
  const Status status = device().digest(ranges, digests);
  if (status.code() == Code::kUnsupported) GTEST_SKIP() << status.to_string();
  ASSERT_THAT(status, IsOk());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto& [offset, length] = parts[i];
    ASSERT_EQ(digests[i], digest_of(std::span(bytes).subspan(offset, length)))
        << length << " bytes at " << offset;
  }
}

// Everything that a load does, with a ring of two slots; what arrived is checked.
class SmallLoad {
 public:
  explicit SmallLoad(DeviceSubject& subject) : subject_(subject), bytes_(contract_bytes(9000, 6)) {}

  // OK: everything arrived. Whatever happens, nothing is left.
  Status run() {
    INGOT_ASSIGN_OR_RETURN(const auto device, subject_.open());
    INGOT_ASSIGN_OR_RETURN(const auto target, device->allocate(bytes_.size()));
    INGOT_RETURN_IF_ERROR(device->check_destination(target->span()));
    for (auto& slot : slots_) {
      INGOT_ASSIGN_OR_RETURN(slot, device->allocate_staging(kSlot));
    }
    Status status = transfer(*device, target->span());
    if (status.ok()) status = check(*device, target->span());
    for (auto& slot : slots_) slot.reset();
    return status;
  }

 private:
  static constexpr std::size_t kSlot = 1500;

  // The queue is drained before anybody frees what it names.
  Status transfer(Device& device, const DeviceSpan& target) {
    INGOT_ASSIGN_OR_RETURN(const auto line, device.open_queue());
    const Status status = fill(*line, target);
    const Status drained = line->drain();
    for (auto& slot : slots_) std::memset(slot->bytes().data(), 0xEE, kSlot);
    return status.ok() ? drained : status;
  }

  Status fill(CopyQueue& line, const DeviceSpan& target) {
    Fence fences[2];
    for (std::size_t i = 0; i < bytes_.size() / kSlot; ++i) {
      INGOT_ASSIGN_OR_RETURN(const bool reached, line.query(fences[i % 2]));
      if (!reached) INGOT_RETURN_IF_ERROR(line.wait(fences[i % 2]));
      std::byte* slot = slots_[i % 2]->bytes().data();
      std::memcpy(slot, bytes_.data() + i * kSlot, kSlot);
      INGOT_RETURN_IF_ERROR(line.copy({.destination = target.data + i * kSlot,
                                       .source = slot,
                                       .width = kSlot / 3,
                                       .rows = 3,
                                       .destination_pitch = kSlot / 3,
                                       .source_pitch = kSlot / 3}));
      INGOT_ASSIGN_OR_RETURN(fences[i % 2], line.record());
    }
    return {};
  }

  Status check(Device& device, const DeviceSpan& target) {
    Digest128 digest;
    const Status hashed = device.digest(std::span(&target, 1), std::span(&digest, 1));
    if (hashed.code() == Code::kUnsupported) return {};
    INGOT_RETURN_IF_ERROR(hashed);
    if (digest == digest_of(bytes_)) return {};
    return Status(Code::kInternal, "no error, but other bytes arrived");
  }

  DeviceSubject& subject_;
  std::vector<std::byte> bytes_;
  std::unique_ptr<StagingBuffer> slots_[2];
};

TEST_P(DeviceContract, AFailureOfAnyCallIsReportedAndLeavesNothing) {
  SmallLoad load(subject());
  const std::uint64_t before = subject().calls();
  ASSERT_THAT(load.run(), IsOk());
  const std::uint64_t calls = subject().calls() - before;
  if (!subject().fail_call(1)) GTEST_SKIP() << "calls cannot be made to fail here";
  std::uint64_t failures = 0;
  for (std::uint64_t n = 1; n <= calls; ++n) {
    subject().fail_call(n);
    const Status status = load.run();
    ASSERT_NE(status.code(), Code::kInternal) << "call " << n << ": " << status.to_string();
    if (!status.ok()) ++failures;
  }
  // Calls that only give something back may fail without anybody noticing.
  EXPECT_GT(failures, calls / 3);
}

}  // namespace ingot::testing
