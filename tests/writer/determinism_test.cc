// Equal input makes equal bytes, however it is written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "../support/status_matchers.h"
#include "model.h"

namespace ingot::testing {
namespace {

using writer::Session;
using writer::Tuning;

constexpr std::uint64_t kKiB = 1024;

// A session whose options make small files take the paths of large ones.
class Determinism : public ::testing::Test {
 protected:
  static WriterOptions small_options(DirectIo direct) {
    return {.direct = direct, .chunk_bytes = 64 * kKiB, .staging_bytes = 1024 * kKiB};
  }
  static Tuning small_tuning(io::QueueKind queue = io::QueueKind::kThreads) {
    return {.slot_bytes = 128 * kKiB,
            .queue = queue,
            .synchronous_bytes = 0,
            .parallel_bytes = 100 * kKiB};
  }

  std::unique_ptr<Session> create(const WriterOptions& options, const Tuning& tuning) {
    WriterOptions here = options;
    file_system_.set_features({.direct = true});
    here.file_system = &file_system_;
    auto session = Session::create("model.ingot", model_.plan, here, tuning);
    EXPECT_THAT(session, IsOk());
    return session.ok() ? *std::move(session) : nullptr;
  }

  void expect_same(Session& session) {
    EXPECT_OK(session.commit());
    EXPECT_EQ(difference(file_system_.content("model.ingot"), expected_), "");
  }

  const Model model_ = mixed_model();
  // Written at once, in file order, through the page cache.
  const Content expected_ =
      saved(model_, small_options(DirectIo::kOff), {.queue = io::QueueKind::kSynchronous});
  io::MemoryFileSystem file_system_;
};

TEST_F(Determinism, TheFileIsWhole) { EXPECT_OK(check_file(expected_, model_)); }

TEST_F(Determinism, DirectOrBufferedQueueAndSlots) {
  for (const DirectIo direct : {DirectIo::kOn, DirectIo::kOff}) {
    for (const io::QueueKind queue : {io::QueueKind::kThreads, io::QueueKind::kSynchronous}) {
      for (const std::uint64_t slot : {16 * kKiB, 100 * kKiB, 4096 * kKiB}) {
        Tuning tuning = small_tuning(queue);
        tuning.slot_bytes = slot;
        const Content file = saved(model_, small_options(direct), tuning);
        EXPECT_EQ(difference(file, expected_), "") << static_cast<int>(direct) << " " << slot;
      }
    }
  }
}

TEST_F(Determinism, OrderOfWrites) {
  std::vector<std::uint32_t> order(model_.content.size());
  std::iota(order.begin(), order.end(), 0u);
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    auto session = create(small_options(DirectIo::kOn), small_tuning());
    for (const std::uint32_t i : order) EXPECT_OK(session->write(StorageId{i}, model_.content[i]));
    expect_same(*session);
  }
}

TEST_F(Determinism, ThreadsWithinAWrite) {
  for (const DirectIo direct : {DirectIo::kOn, DirectIo::kOff}) {
    WriterOptions options = small_options(direct);
    options.threads = 4;
    auto session = create(options, small_tuning());
    EXPECT_OK(write_all(*session, model_));
    expect_same(*session);
  }
}

TEST_F(Determinism, EightCallersAtOnce) {
  for (const DirectIo direct : {DirectIo::kOn, DirectIo::kOff}) {
    auto session = create(small_options(direct), small_tuning());
    std::vector<std::thread> callers;
    for (std::uint32_t caller = 0; caller < 8; ++caller) {
      callers.emplace_back([&, caller] {
        for (std::uint32_t i = caller; i < model_.content.size(); i += 8) {
          EXPECT_OK(session->write(StorageId{i}, model_.content[i]));
        }
      });
    }
    for (std::thread& caller : callers) caller.join();
    expect_same(*session);
  }
}

// Parts of a storage: cut within chunks, chunks in random order, parts of a chunk in their order.
struct Part {
  std::uint32_t storage;
  std::uint64_t begin;
  std::uint64_t end;
};

std::vector<std::vector<Part>> random_parts(const Model& model, std::uint64_t chunk_bytes,
                                            std::mt19937& random) {
  std::vector<std::vector<Part>> chunks;
  for (std::uint32_t i = 0; i < model.content.size(); ++i) {
    const std::uint64_t size = model.content[i].size();
    for (std::uint64_t begin = 0; begin < size; begin += chunk_bytes) {
      const std::uint64_t end = std::min(begin + chunk_bytes, size);
      std::vector<Part> parts;
      for (std::uint64_t at = begin; at < end;) {
        const std::uint64_t next = std::min(end, at + 1 + random() % chunk_bytes);
        parts.push_back({i, at, next});
        at = next;
      }
      chunks.push_back(std::move(parts));
    }
  }
  std::shuffle(chunks.begin(), chunks.end(), random);
  return chunks;
}

TEST_F(Determinism, PartsInAnyOrder) {
  std::mt19937 random(11);
  for (int round = 0; round < 20; ++round) {
    WriterOptions options = small_options(round % 2 == 0 ? DirectIo::kOn : DirectIo::kOff);
    auto session = create(options, small_tuning());
    for (const auto& chunk : random_parts(model_, options.chunk_bytes, random)) {
      for (const auto& [storage, begin, end] : chunk) {
        const Bytes bytes = Bytes(model_.content[storage]).subspan(begin, end - begin);
        EXPECT_OK(session->write(StorageId{storage}, begin, bytes));
      }
    }
    expect_same(*session);
  }
}

TEST_F(Determinism, PartsFromManyCallers) {
  std::mt19937 random(13);
  const WriterOptions options = small_options(DirectIo::kOn);
  const auto chunks = random_parts(model_, options.chunk_bytes, random);
  auto session = create(options, small_tuning());
  std::vector<std::thread> callers;
  for (std::size_t caller = 0; caller < 8; ++caller) {
    callers.emplace_back([&, caller] {
      for (std::size_t i = caller; i < chunks.size(); i += 8) {
        for (const auto& [storage, begin, end] : chunks[i]) {
          const Bytes bytes = Bytes(model_.content[storage]).subspan(begin, end - begin);
          EXPECT_OK(session->write(StorageId{storage}, begin, bytes));
        }
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  expect_same(*session);
}

TEST_F(Determinism, SmallestStagingServesTheLargestChunks) {
  for (const DirectIo direct : {DirectIo::kOn, DirectIo::kOff}) {
    WriterOptions options{.direct = direct, .chunk_bytes = 1024 * kKiB};
    const Content expected = saved(model_, options);
    options.staging_bytes = 128 * kKiB;
    EXPECT_EQ(difference(saved(model_, options, small_tuning()), expected), "");
    EXPECT_OK(check_file(expected, model_));
  }
}

TEST_F(Determinism, IdsDeriveFromContentUnlessChosen) {
  Model other = model_;
  other.content[0][0] ^= std::byte{1};
  const Content a = saved(model_);
  const Content b = saved(other);
  EXPECT_NE(Content(a.begin() + 128, a.begin() + 160), Content(b.begin() + 128, b.begin() + 160));
  WriterOptions options;
  options.uuid.emplace().fill(7);
  options.save_id.emplace().fill(8);
  const Content chosen = saved(model_, options);
  EXPECT_EQ(chosen[128], std::byte{7});
  EXPECT_EQ(chosen[144], std::byte{8});
  EXPECT_OK(check_file(chosen, model_));
}

// The canonical bytes themselves. A change here is a change of the format: CHANGELOG, `format:`.
TEST(PinnedBytes, RootOfASmallFile) {
  const Content file = saved(mixed_model());
  ASSERT_GT(file.size(), 4096u);
  Digest128 root;
  std::memcpy(&root, file.data() + 160, sizeof root);
  EXPECT_EQ(to_string(root), "5f026536bcffa1d0ca40256d13038258");
  EXPECT_EQ(to_string(digest_of(file)), "ec561e1e3fe65e2f766ca70232df568a");
}

TEST(Sha256Root, HasAColumnAndARoot) {
  const Model model = mixed_model();
  const Content file = saved(model, {.sha256 = true});
  EXPECT_OK(check_file(file, model));
  Sha256 root{};
  std::memcpy(root.data(), file.data() + 176, root.size());
  EXPECT_EQ(to_string(root), "a32e29332c561b6e2ee6f99576474bea8d89290ec2c9adb072a11d7eba2cbfb5");
}

}  // namespace
}  // namespace ingot::testing
