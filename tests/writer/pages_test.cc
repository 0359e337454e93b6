// O_DIRECT and the page cache never meet in one page, and every byte is written once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "../support/status_matchers.h"
#include "forwarding.h"
#include "model.h"

namespace ingot::testing {
namespace {

using writer::Session;
using writer::Tuning;

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kPage = 4096;

// What was written where, by which way.
struct WriteLog {
  struct Write {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    bool direct = false;
  };
  std::mutex mutex;
  std::vector<Write> writes;

  void add(std::uint64_t begin, std::uint64_t bytes, bool direct) {
    const std::lock_guard lock(mutex);
    writes.push_back({begin, begin + bytes, direct});
  }

  // The first rule that is broken, as text.
  std::string broken_rule() {
    std::sort(writes.begin(), writes.end(),
              [](const Write& a, const Write& b) { return a.begin < b.begin; });
    std::map<std::uint64_t, bool> way_of_page;
    std::uint64_t end = 0;
    for (const Write& write : writes) {
      if (write.begin < end) return "written twice at " + std::to_string(write.begin);
      end = write.end;
      if (write.direct && (write.begin | write.end) % kPage != 0) return "unaligned direct write";
      for (std::uint64_t page = write.begin / kPage; page * kPage < write.end; ++page) {
        const auto [known, added] = way_of_page.emplace(page, write.direct);
        if (known->second != write.direct) return "both ways in page " + std::to_string(page);
      }
    }
    return {};
  }

  std::uint64_t count(bool direct) const {
    return static_cast<std::uint64_t>(std::count_if(
        writes.begin(), writes.end(), [&](const Write& write) { return write.direct == direct; }));
  }
};

class LoggedFile final : public ForwardingFile {
 public:
  LoggedFile(std::unique_ptr<io::File> base, WriteLog& log, bool direct)
      : ForwardingFile(std::move(base)), log_(log), direct_(direct) {}

  Result<std::size_t> write_some(std::uint64_t offset, Bytes source) override {
    log_.add(offset, source.size(), direct_);
    return ForwardingFile::write_some(offset, source);
  }
  Result<std::unique_ptr<io::File>> reopen_direct() override {
    INGOT_ASSIGN_OR_RETURN(auto file, ForwardingFile::reopen_direct());
    return {std::make_unique<LoggedFile>(std::move(file), log_, true)};
  }

 private:
  WriteLog& log_;
  bool direct_;
};

class LoggedFileSystem final : public ForwardingFileSystem {
 public:
  LoggedFileSystem(io::FileSystem& base, WriteLog& log) : ForwardingFileSystem(base), log_(log) {}

 protected:
  std::unique_ptr<ForwardingFile> wrap(std::unique_ptr<io::File> file) override {
    return std::make_unique<LoggedFile>(std::move(file), log_, false);
  }

 private:
  WriteLog& log_;
};

class Pages : public ::testing::Test {
 protected:
  Pages() {
    file_system_.set_features({.direct = true});
    options_.direct = DirectIo::kOn;
    options_.chunk_bytes = 64 * kKiB;
    options_.staging_bytes = 1024 * kKiB;
    tuning_ = {.slot_bytes = 128 * kKiB,
               .queue = io::QueueKind::kSynchronous,
               .synchronous_bytes = 0,
               .parallel_bytes = 100 * kKiB};
  }

  void write_in(const std::vector<std::uint32_t>& order, const Model& model) {
    log_.writes.clear();
    LoggedFileSystem logged(file_system_, log_);
    options_.file_system = &logged;
    auto session = Session::create("model.ingot", model.plan, options_, tuning_);
    ASSERT_OK(session);
    for (const std::uint32_t i : order) {
      ASSERT_OK((*session)->write(StorageId{i}, model.content[i]));
    }
    ASSERT_OK((*session)->commit());
    in_time_ = log_.writes;
    EXPECT_EQ(log_.broken_rule(), "");
  }

  static std::vector<std::uint32_t> in_order(const Model& model) {
    std::vector<std::uint32_t> order(model.content.size());
    std::iota(order.begin(), order.end(), 0u);
    return order;
  }

  WriteLog log_;
  std::vector<WriteLog::Write> in_time_;  // before broken_rule() sorts them
  io::MemoryFileSystem file_system_;
  WriterOptions options_;
  Tuning tuning_;
};

TEST_F(Pages, NeverBothWays) {
  const Model model = mixed_model();
  std::vector<std::uint32_t> order = in_order(model);
  write_in(order, model);
  std::mt19937 random(5);
  for (int round = 0; round < 100; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    write_in(order, model);
  }
}

TEST_F(Pages, NeverBothWaysWithSmallStorages) {
  const Model model = uniform_model(3000, 777);
  std::vector<std::uint32_t> order = in_order(model);
  write_in(order, model);
  std::mt19937 random(6);
  for (int round = 0; round < 10; ++round) {
    // Mostly in order, as a caller would be.
    for (int swap = 0; swap < 40; ++swap) {
      std::swap(order[random() % order.size()], order[random() % order.size()]);
    }
    write_in(order, model);
  }
}

TEST_F(Pages, NeverBothWaysFromThreads) {
  options_.threads = 4;
  tuning_.queue = io::QueueKind::kThreads;
  const Model model = mixed_model();
  for (int round = 0; round < 20; ++round) write_in(in_order(model), model);
}

// Until the first page is there, the file is none: it comes last, its copy just before it.
TEST_F(Pages, TheHeaderIsWrittenLast) {
  const Model model = mixed_model();
  write_in(in_order(model), model);
  const std::vector<WriteLog::Write>& writes = in_time_;
  ASSERT_GT(writes.size(), 2u);
  EXPECT_EQ(writes.back().begin, 0u);
  EXPECT_EQ(writes[writes.size() - 2].end, file_system_.content("model.ingot").size());
}

// 100,000 tensors of 1 KiB in file order: a few large writes.
TEST_F(Pages, SmallStoragesInOrderAreCoalesced) {
  tuning_ = {};
  options_.staging_bytes = std::uint64_t{64} << 20;
  const Model model = uniform_model(100'000, 1024);
  write_in(in_order(model), model);
  EXPECT_LE(log_.count(true), 40u);
  // Both headers, and ends of regions that are no whole pages.
  EXPECT_LE(log_.count(false), 4u);
}

// Odd sizes: the partial page at the end of a slot goes on in the next one.
TEST_F(Pages, OddSizesInOrderStayDirect) {
  const Model model = uniform_model(3000, 777);
  write_in(in_order(model), model);
  EXPECT_LE(log_.count(true), 25u);
  EXPECT_LE(log_.count(false), 4u);
}

// Large storages out of order: the padding of their last page goes with them.
TEST_F(Pages, LargeStoragesAreDirectToTheirEnd) {
  const Model model = uniform_model(20, 100'001);
  std::vector<std::uint32_t> order = in_order(model);
  std::reverse(order.begin(), order.end());
  write_in(order, model);
  EXPECT_LE(log_.count(false), 3u);
}

}  // namespace
}  // namespace ingot::testing
