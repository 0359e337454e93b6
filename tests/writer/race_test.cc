// Several writers of one name, in a real folder: one of their files is there, whole.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "../support/scratch.h"
#include "../support/status_matchers.h"
#include "model.h"

namespace ingot::testing {
namespace {

constexpr std::size_t kWriters = 4;

class Race : public ::testing::Test {
 protected:
  Race() {
    for (std::size_t i = 0; i < kWriters; ++i) {
      models_.push_back(uniform_model(3, 50'000));
      models_[i].content[0] = pattern(100 + i, 50'000);
      files_.push_back(saved(models_[i]));
    }
  }

  // All writers save at once; how many of them succeeded.
  int race(const WriterOptions& options) {
    std::array<Status, kWriters> results;
    std::vector<std::thread> threads;
    std::atomic<std::size_t> ready = 0;
    for (std::size_t i = 0; i < kWriters; ++i) {
      threads.emplace_back([&, i] {
        auto writer = Writer::create(path_, models_[i].plan, options);
        ++ready;
        while (ready < kWriters) std::this_thread::yield();
        results[i] = writer.status();
        if (results[i].ok()) results[i] = write_all(*writer, models_[i]);
        if (results[i].ok()) results[i] = writer->commit();
      });
    }
    for (std::thread& thread : threads) thread.join();
    int winners = 0;
    for (const Status& result : results) {
      if (result.ok()) ++winners;
      EXPECT_THAT(result, ::testing::AnyOf(IsOk(), StatusIs(Code::kAlreadyExists)));
    }
    return winners;
  }

  void expect_one_whole_file() {
    std::ifstream stream(path_, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    const Content found(as_bytes(text).begin(), as_bytes(text).end());
    EXPECT_THAT(files_, ::testing::Contains(found));
    const std::filesystem::directory_iterator entries(scratch_.folder());
    EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
  }

  const Scratch scratch_;
  const std::string path_ = scratch_.path("model.ingot");
  std::vector<Model> models_;
  std::vector<Content> files_;
};

TEST_F(Race, OneWinsWhenReplacingIsNotAllowed) {
  for (int round = 0; round < 30; ++round) {
    EXPECT_EQ(race({.existing = Existing::kFail}), 1);
    expect_one_whole_file();
    std::filesystem::remove(path_);
  }
}

TEST_F(Race, AllSucceedWhenReplacing) {
  for (int round = 0; round < 30; ++round) {
    EXPECT_EQ(race({}), static_cast<int>(kWriters));
    expect_one_whole_file();
  }
}

TEST_F(Race, ExistingNameIsRefusedBeforeAnythingIsDone) {
  EXPECT_OK(save(path_, models_[0], {}));
  EXPECT_THAT(Writer::create(path_, models_[1].plan, {.existing = Existing::kFail}),
              StatusIs(Code::kAlreadyExists));
  expect_one_whole_file();
}

}  // namespace
}  // namespace ingot::testing
