// That the double does what it says: else the loops over call N prove nothing.
#include "io/fault_file_system.h"

#include <cerrno>
#include <set>

#include "tests/io/io_testing.h"

namespace ingot::io {
namespace {

using ::ingot::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kKinds = static_cast<unsigned>(kLastCall) + 1;

class FaultTest : public ::testing::Test {
 protected:
  void SetUp() override {
    memory_.set_features({.direct = true});
    memory_.put("a", pattern(100));
  }

  // Makes every kind of call once; the status of each.
  std::vector<std::pair<Call, Status>> all_calls() {
    std::vector<std::pair<Call, Status>> result;
    std::array<std::byte, 10> bytes{};
    auto unnamed = fault_.create_unnamed("x");
    result.emplace_back(Call::kCreateUnnamed, unnamed.status());
    if (unnamed.ok()) result.emplace_back(Call::kLink, fault_.link(**unnamed, "x/linked"));
    result.emplace_back(Call::kCreateExclusive, fault_.create_exclusive("x/b").status());
    result.emplace_back(Call::kRename, fault_.rename_no_replace("x/b", "x/c"));
    result.emplace_back(Call::kRename, fault_.rename("x/c", "x/d"));
    result.emplace_back(Call::kRemove, fault_.remove("x/d"));
    result.emplace_back(Call::kSyncFolder, fault_.sync_folder("x"));
    result.emplace_back(Call::kFreeBytes, fault_.free_bytes("x").status());
    result.emplace_back(Call::kList, fault_.list("x").status());
    result.emplace_back(Call::kStatName, fault_.stat_name("a").status());
    auto file = fault_.open("a", Access::kReadWrite);
    result.emplace_back(Call::kOpen, file.status());
    if (!file.ok()) return result;
    result.emplace_back(Call::kRead, (*file)->read_some(0, bytes).status());
    result.emplace_back(Call::kWrite, (*file)->write_some(0, bytes).status());
    result.emplace_back(Call::kAllocate, (*file)->allocate(200));
    result.emplace_back(Call::kResize, (*file)->resize(100));
    result.emplace_back(Call::kSync, (*file)->sync());
    result.emplace_back(Call::kStat, (*file)->stat().status());
    result.emplace_back(Call::kSetPermissions, (*file)->set_permissions(0600));
    auto mapping = (*file)->map(0, 100, MapMode::kReadOnly);
    result.emplace_back(Call::kMap, mapping.status());
    if (mapping.ok()) result.emplace_back(Call::kPopulate, (*mapping)->populate(0, 100));
    if (mapping.ok()) {
      result.emplace_back(Call::kResident, (*mapping)->resident(0, 100).status());
    }
    result.emplace_back(Call::kAdvise, (*file)->advise(Advice::kWillNeed, 0, 0));
    result.emplace_back(Call::kLock, (*file)->try_lock());
    result.emplace_back(Call::kReopenDirect, (*file)->reopen_direct().status());
    result.emplace_back(Call::kClose, (*file)->close());
    return result;
  }
  std::unique_ptr<File> open() {
    auto file = fault_.open("a", Access::kReadWrite);
    EXPECT_OK(file);
    return file.ok() ? *std::move(file) : nullptr;
  }

  MemoryFileSystem memory_;
  FaultFileSystem fault_{memory_};
};

TEST_F(FaultTest, WithoutAFaultItOnlyCounts) {
  std::set<Call> kinds;
  for (const auto& [call, status] : all_calls()) {
    EXPECT_OK(status) << call_name(call);
    kinds.insert(call);
  }
  EXPECT_EQ(kinds.size(), kKinds) << "a kind of call is not made here";
  EXPECT_EQ(fault_.calls(), kKinds + 1) << "rename twice, all others once";
  EXPECT_FALSE(fault_.fired());
}

TEST_F(FaultTest, EveryKindOfCallCanFail) {
  for (unsigned kind = 0; kind < kKinds; ++kind) {
    SCOPED_TRACE(call_name(static_cast<Call>(kind)));
    SetUp();
    Fault fault;
    fault.only = {static_cast<Call>(kind)};
    fault_.set_fault(fault);
    unsigned failures = 0;
    for (const auto& [call, status] : all_calls()) {
      if (call != static_cast<Call>(kind)) continue;
      if (status.os_error() == EIO) ++failures;
    }
    EXPECT_EQ(failures, 1U);
    EXPECT_TRUE(fault_.fired());
    fault_.clear();
    for (const char* name : {"x/linked", "x/b", "x/c", "x/d"}) {
      static_cast<void>(memory_.remove(name));
    }
  }
}

TEST_F(FaultTest, CallsHaveNames) {
  std::set<std::string_view> names;
  for (unsigned kind = 0; kind < kKinds; ++kind) names.insert(call_name(static_cast<Call>(kind)));
  EXPECT_EQ(names.size(), kKinds);
  EXPECT_FALSE(names.contains("unknown"));
}

TEST_F(FaultTest, TheNthCallFailsOnceOrForEver) {
  for (const bool forever : {false, true}) {
    Fault fault;
    fault.at = 2;
    fault.forever = forever;
    fault.os_error = ENOSPC;
    auto file = open();
    fault_.set_fault(fault);
    EXPECT_OK(file->stat());
    EXPECT_OK(file->sync());
    EXPECT_FALSE(fault_.fired());
    EXPECT_THAT(file->stat(), StatusIs(Code::kResourceExhausted, HasSubstr("injected")));
    EXPECT_TRUE(fault_.fired());
    EXPECT_EQ(file->stat().ok(), !forever);
    EXPECT_EQ(fault_.calls(), 4U);
    fault_.clear();
    EXPECT_OK(file->stat());
  }
}

TEST_F(FaultTest, OnlyTheKindsAskedForAreCounted) {
  Fault fault;
  fault.only = {Call::kStat};
  fault.at = 1;
  auto file = open();
  fault_.set_fault(fault);
  EXPECT_OK(file->stat());
  EXPECT_OK(file->sync());
  EXPECT_OK(file->sync());
  EXPECT_FALSE(file->stat().ok());
  EXPECT_EQ(fault_.calls(), 2U);
}

TEST_F(FaultTest, ShortTransfers) {
  Fault fault;
  fault.kind = Fault::Kind::kShort;
  fault.transfer = 3;
  fault.forever = true;
  auto file = open();
  fault_.set_fault(fault);
  std::vector<std::byte> bytes(10);
  EXPECT_EQ(*file->read_some(0, bytes), 3U);
  EXPECT_TRUE(std::ranges::equal(Bytes(bytes).first(3), Bytes(pattern(100)).first(3)));
  EXPECT_EQ(*file->write_some(0, pattern(10, 2)), 3U);
  EXPECT_OK(file->sync()) << "a sync cannot be short";
}

TEST_F(FaultTest, ZeroProgress) {
  Fault fault;
  fault.kind = Fault::Kind::kZeroProgress;
  fault.forever = true;
  auto file = open();
  fault_.set_fault(fault);
  std::vector<std::byte> bytes(10);
  EXPECT_EQ(*file->read_some(0, bytes), 0U);
  EXPECT_EQ(*file->write_some(0, bytes), 0U);
}

std::size_t different_bits(Bytes a, Bytes b) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    count += static_cast<std::size_t>(std::popcount(std::to_integer<unsigned>(a[i] ^ b[i])));
  }
  return count;
}

TEST_F(FaultTest, OneBitFlipsWhenReadAndWhenWritten) {
  Fault fault;
  fault.kind = Fault::Kind::kBitFlip;
  auto file = open();
  fault_.set_fault(fault);
  std::vector<std::byte> bytes(100);
  ASSERT_EQ(*file->read_some(0, bytes), 100U);
  EXPECT_EQ(different_bits(bytes, pattern(100)), 1U);
  EXPECT_EQ(memory_.content("a"), pattern(100));
  fault_.set_fault(fault);
  const auto source = pattern(100, 2);
  ASSERT_EQ(*file->write_some(0, source), 100U);
  EXPECT_EQ(different_bits(memory_.content("a"), source), 1U);
}

TEST_F(FaultTest, FaultsThatMakeNoSenseDoNotFire) {
  Fault fault;
  fault.kind = Fault::Kind::kShort;
  auto file = open();
  fault_.set_fault(fault);
  EXPECT_OK(file->stat());
  EXPECT_FALSE(fault_.fired());
}

TEST_F(FaultTest, AFailedSyncDropsDirtyPages) {
  auto file = open();
  ASSERT_OK(write_all(*file, 0, pattern(100, 2)));
  Fault fault;
  fault.only = {Call::kSync};
  fault_.set_fault(fault);
  EXPECT_THAT(file->sync(), StatusIs(Code::kIoError));
  EXPECT_OK(file->sync());
  EXPECT_EQ(memory_.content("a"), pattern(100, 1));
}

TEST_F(FaultTest, AFailedSyncOfARenamedFileDropsItsPages) {
  auto file = open();
  ASSERT_OK(write_all(*file, 0, pattern(100, 2)));
  ASSERT_OK(fault_.rename("a", "b"));
  memory_.put("a", pattern(100, 3));
  Fault fault;
  fault.only = {Call::kSync};
  fault_.set_fault(fault);
  EXPECT_FALSE(file->sync().ok());
  EXPECT_EQ(memory_.content("b"), pattern(100, 1));
  EXPECT_EQ(memory_.content("a"), pattern(100, 3));
}

TEST_F(FaultTest, AFailedCloseClosesAllTheSame) {
  auto file = open();
  ASSERT_OK(file->try_lock());
  Fault fault;
  fault.only = {Call::kClose};
  fault_.set_fault(fault);
  EXPECT_THAT(file->close(), StatusIs(Code::kIoError));
  EXPECT_OK(open()->try_lock());
}

TEST_F(FaultTest, ObserversSeeEveryCallBeforeItHappens) {
  std::vector<std::string> seen;
  fault_.set_observer([&](std::uint64_t number, Call call, const std::string& path) {
    seen.push_back(std::to_string(number) + " " + std::string(call_name(call)) + " " + path +
                   (memory_.exists("b") ? " b" : ""));
  });
  auto file = open();
  EXPECT_OK(file->stat());
  EXPECT_OK(fault_.rename("a", "b"));
  EXPECT_OK(file->sync());
  EXPECT_THAT(seen, ElementsAre("0 open a", "1 stat a", "2 rename b", "3 sync a b"));
}

TEST_F(FaultTest, FilesMayOutliveIt) {
  auto fault = std::make_unique<FaultFileSystem>(memory_);
  ASSERT_OK_AND_ASSIGN(auto file, fault->open("a", Access::kRead));
  fault.reset();
  EXPECT_EQ(file->stat()->bytes, 100U);
}

}  // namespace
}  // namespace ingot::io
