// save_async: the snapshot, two at once, cancelling, failing disks, handles that nobody waits for.
#include <c10/core/CPUAllocator.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <utility>

#include "ingot/checkpoint.h"

#include "io/fault_file_system.h"
#include "tests/libtorch/models.h"
#include "tests/libtorch/torch_testing.h"

namespace ingot::libtorch::testing {
namespace {

using torch::Tensor;

// Holds a writer at its first report of progress until it is let go.
class Gate {
 public:
  ProgressCallback callback() {
    return {[](void* gate, std::uint64_t done, std::uint64_t total) {
              static_cast<Gate*>(gate)->pass(done == total);
            },
            this};
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void await_arrival() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return arrived_; });
  }
  // All data was reported as written.
  bool saw_the_end() {
    const std::lock_guard lock(mutex_);
    return ended_;
  }

 private:
  void pass(bool ended) {
    std::unique_lock lock(mutex_);
    arrived_ = true;
    ended_ = ended;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool arrived_ = false;
  bool ended_ = false;
  bool open_ = false;
};

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

class AsyncTest : public ::testing::Test {
 protected:
  std::string path(const char* name = "file.ingot") const { return scratch_.path(name); }
  TrainingState state() { return TrainingState().tensor("t", tensor_); }
  static SaveOptions held(Gate& gate) {
    SaveOptions options = quick();
    options.writer.progress = gate.callback();
    return options;
  }

  ingot::testing::Scratch scratch_;
  Tensor tensor_ = torch::arange(100000, torch::kFloat);
};

TEST_F(AsyncTest, WritesWhatSaveWrites) {
  const Tensor before = tensor_.clone();
  PendingSave pending = save_async(path(), state(), quick());
  EXPECT_EQ(pending.snapshot_bytes(), 400000U);
  const WriteReport& report = pending.wait();
  EXPECT_TRUE(pending.done());
  EXPECT_EQ(pending.progress().done_bytes, 400000U);
  EXPECT_EQ(pending.progress().total_bytes, 400000U);
  save(path("other"), state(), quick());
  EXPECT_EQ(Checkpoint::open(path("other"))->file().root, report.root);
  EXPECT_EQ(pending.wait().root, report.root);
}

TEST_F(AsyncTest, TheSnapshotIsOfTheCall) {
  Gate gate;
  const Tensor before = tensor_.clone();
  Net net;
  torch::optim::Adam adam(net->parameters(), 0.1);
  train_step(net, adam, 0);
  save(path("then"), state().module("net", net).optimizer("adam", adam), quick());
  PendingSave pending =
      save_async(path(), state().module("net", net).optimizer("adam", adam), held(gate));
  gate.await_arrival();
  tensor_.fill_(-1);
  train_step(net, adam, 1);
  EXPECT_FALSE(pending.done());
  gate.open();
  pending.wait();
  EXPECT_TRUE(torch::equal(load_tensors(path())["t"], before));
  EXPECT_EQ(Checkpoint::open(path())->file().root, Checkpoint::open(path("then"))->file().root);
}

TEST_F(AsyncTest, TwoOverlap) {
  Gate first_gate;
  Gate second_gate;
  PendingSave first = save_async(path("first"), state(), held(first_gate));
  first_gate.await_arrival();
  tensor_.add_(1);
  PendingSave second = save_async(path("second"), state(), held(second_gate));
  second_gate.await_arrival();  // both are under way
  second_gate.open();
  second.wait();
  EXPECT_FALSE(first.done());
  EXPECT_FALSE(std::filesystem::exists(path("first")));
  first_gate.open();
  first.wait();
  EXPECT_TRUE(
      torch::equal(load_tensors(path("first"))["t"] + 1, load_tensors(path("second"))["t"]));
}

TEST_F(AsyncTest, OfTwoUnderOneNameTheLastToEndStays) {
  Gate gate;
  PendingSave first = save_async(path(), state(), held(gate));
  gate.await_arrival();
  tensor_.fill_(2);
  save_async(path(), state(), quick()).wait();
  EXPECT_TRUE((load_tensors(path())["t"] == 2).all().item<bool>());
  gate.open();
  first.wait();
  EXPECT_FALSE((load_tensors(path())["t"] == 2).all().item<bool>());
}

TEST_F(AsyncTest, CancelLeavesNothing) {
  Gate gate;
  PendingSave pending = save_async(path(), state(), held(gate));
  gate.await_arrival();
  pending.cancel();
  gate.open();
  for (int twice = 0; twice < 2; ++twice) {
    EXPECT_EQ(code_of([&] { pending.wait(); }), Code::kCancelled);
  }
  EXPECT_TRUE(std::filesystem::is_empty(scratch_.folder()));
}

TEST_F(AsyncTest, TheCallersCancelFlagCounts) {
  Gate gate;
  CancelFlag cancel{false};
  SaveOptions options = held(gate);
  options.writer.cancel = &cancel;
  PendingSave pending = save_async(path(), state(), options);
  gate.await_arrival();
  cancel = true;
  gate.open();
  EXPECT_EQ(code_of([&] { pending.wait(); }), Code::kCancelled);
}

// No progress is reported any more: while the last of the file is written, and while it is read
// back.
TEST_F(AsyncTest, ACancelCountsUntilTheFileHasItsName) {
  save(path(), state(), quick());
  const auto before = Checkpoint::open(path())->file().root;
  tensor_.add_(1);
  for (const bool by_handle : {false, true}) {
    for (const io::Call moment : {io::Call::kWrite, io::Call::kRead}) {
      SCOPED_TRACE(::testing::Message()
                   << call_name(moment) << (by_handle ? ", handle" : ", flag"));
      Gate gate;
      CancelFlag cancel{false};
      std::optional<PendingSave> pending;
      io::FaultFileSystem files(io::posix());
      files.set_observer([&](std::uint64_t, io::Call call, const std::string&) {
        if (call != moment || !gate.saw_the_end()) return;
        if (by_handle) {
          pending->cancel();
        } else {
          cancel = true;
        }
      });
      SaveOptions options = held(gate);
      options.writer.cancel = &cancel;
      options.writer.file_system = &files;
      options.writer.read_back = moment == io::Call::kRead;
      pending.emplace(save_async(path(), state(), options));
      gate.open();
      const auto wait = [&] { pending->wait(); };
      EXPECT_EQ(code_of(wait), Code::kCancelled);
      // Not only when all of it is read.
      EXPECT_THAT(message_of(wait),
                  ::testing::HasSubstr(options.writer.read_back ? "cancelled while reading back"
                                                                : "cancelled while writing"));
      EXPECT_EQ(Checkpoint::open(path())->file().root, before);
      EXPECT_EQ(names_in(scratch_.folder()), std::vector<std::string>{"file.ingot"});
    }
  }
}

// The snapshot is hashed before the file is begun.
TEST_F(AsyncTest, ACancelCountsWhileTheSnapshotIsHashed) {
  for (const bool by_handle : {false, true}) {
    SCOPED_TRACE(by_handle ? "handle" : "flag");
    Gate gate;
    CancelFlag cancel{false};
    io::FaultFileSystem files(io::posix());
    SaveOptions options = held(gate);
    options.writer.cancel = &cancel;
    options.writer.file_system = &files;
    PendingSave pending = save_async(path(), state(), options);
    gate.await_arrival();
    if (by_handle) {
      pending.cancel();
    } else {
      cancel = true;
    }
    gate.open();
    EXPECT_EQ(code_of([&] { pending.wait(); }), Code::kCancelled);
    EXPECT_EQ(files.calls(), 0U);
  }
}

TEST_F(AsyncTest, AFailingDiskIsToldByWait) {
  std::filesystem::create_directory(path("folder"));
  Gate gate;
  PendingSave pending = save_async(path("folder"), state(), held(gate));
  gate.open();
  EXPECT_NE(code_of([&] { pending.wait(); }), Code::kOk);
  EXPECT_TRUE(pending.done());
  PendingSave nowhere = save_async(path("no/such/folder/x"), state(), quick());
  EXPECT_EQ(code_of([&] { nowhere.wait(); }), Code::kNotFound);
}

// The disk is full, or fails, in the middle of the file: wait() tells, the former checkpoint is
// what it was, nothing else is left, and training has gone on meanwhile.
TEST_F(AsyncTest, ADiskThatFailsInTheMiddle) {
  struct Case {
    int error;
    Code code;
    io::Call call;
  };
  const std::array cases = {Case{ENOSPC, Code::kResourceExhausted, io::Call::kWrite},
                            Case{EIO, Code::kIoError, io::Call::kWrite},
                            Case{EIO, Code::kIoError, io::Call::kSync},
                            Case{ENOSPC, Code::kResourceExhausted, io::Call::kAllocate}};
  save(path(), state(), quick());
  const auto before = Checkpoint::open(path())->file().root;
  for (const Case& what : cases) {
    io::FaultFileSystem faults(io::posix());
    faults.set_fault({.os_error = what.error, .forever = true, .only = {what.call}});
    Gate gate;
    SaveOptions options = held(gate);
    options.writer.durability = Durability::kFull;
    options.writer.file_system = &faults;
    tensor_.add_(1);
    PendingSave pending = save_async(path(), state(), options);
    gate.await_arrival();
    tensor_.add_(1);
    const Tensor trained = tensor_.clone();
    gate.open();
    for (int twice = 0; twice < 2; ++twice) {
      EXPECT_EQ(code_of([&] { pending.wait(); }), what.code) << call_name(what.call);
    }
    EXPECT_TRUE(faults.fired());
    EXPECT_TRUE(pending.done());
    EXPECT_TRUE(torch::equal(tensor_, trained));
    EXPECT_EQ(Checkpoint::open(path())->file().root, before);
    EXPECT_EQ(names_in(scratch_.folder()), std::vector<std::string>{"file.ingot"});
  }
  save_async(path(), state(), quick()).wait();  // the next one is whole
  EXPECT_TRUE(torch::equal(load_tensors(path())["t"], tensor_));
}

// Knows where LibTorch put the latest memory of one size, and can damage it.
class MemoryOfSize final : public c10::Allocator {
 public:
  explicit MemoryOfSize(std::size_t bytes) : bytes_(bytes), usual_(c10::GetCPUAllocator()) {
    c10::SetCPUAllocator(this, kPriority);
  }
  ~MemoryOfSize() override { c10::SetCPUAllocator(usual_, kPriority); }

  c10::DataPtr allocate(std::size_t bytes) override {
    c10::DataPtr memory = usual_->allocate(bytes);
    if (bytes == bytes_) latest_ = static_cast<std::byte*>(memory.get());
    return memory;
  }
  c10::DeleterFnPtr raw_deleter() const override { return usual_->raw_deleter(); }
  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    usual_->copy_data(to, from, bytes);
  }

  void flip_a_bit() { latest_[bytes_ / 2] ^= std::byte{4}; }

 private:
  static constexpr std::uint8_t kPriority = 100;
  std::size_t bytes_;
  c10::Allocator* usual_;
  std::byte* latest_ = nullptr;
};

TEST_F(AsyncTest, ASnapshotThatMemoryLosesIsNotWritten) {
  save(path(), state(), quick());
  const auto before = Checkpoint::open(path())->file().root;
  MemoryOfSize snapshot(tensor_.nbytes());
  // The first that is asked of the file system is after the snapshot was hashed, and before any of
  // it is handed over to be written.
  io::FaultFileSystem files(io::posix());
  bool damaged = false;
  files.set_observer([&](std::uint64_t, io::Call, const std::string&) {
    if (!std::exchange(damaged, true)) snapshot.flip_a_bit();
  });
  SaveOptions options = quick();
  options.writer.file_system = &files;
  PendingSave pending = save_async(path(), state(), options);
  const auto wait = [&] { pending.wait(); };
  EXPECT_EQ(code_of(wait), Code::kChecksumMismatch);
  EXPECT_THAT(message_of(wait), ::testing::HasSubstr("the snapshot changed in memory"));
  EXPECT_TRUE(damaged);
  EXPECT_EQ(Checkpoint::open(path())->file().root, before);
  EXPECT_EQ(names_in(scratch_.folder()), std::vector<std::string>{"file.ingot"});
}

// Of two that overlap one fails; the other does not notice.
TEST_F(AsyncTest, AFailureConcernsItsOwnSave) {
  io::FaultFileSystem faults(io::posix());
  faults.set_fault({.os_error = ENOSPC, .forever = true, .only = {io::Call::kWrite}});
  Gate good_gate;
  Gate bad_gate;
  SaveOptions on_bad_disk = held(bad_gate);
  on_bad_disk.writer.file_system = &faults;
  PendingSave good = save_async(path("good"), state(), held(good_gate));
  PendingSave bad = save_async(path("bad"), state(), on_bad_disk);
  good_gate.await_arrival();
  bad_gate.await_arrival();
  bad_gate.open();
  EXPECT_EQ(code_of([&] { bad.wait(); }), Code::kResourceExhausted);
  EXPECT_FALSE(good.done());
  good_gate.open();
  good.wait();
  EXPECT_EQ(names_in(scratch_.folder()), std::vector<std::string>{"good"});
  EXPECT_TRUE(torch::equal(load_tensors(path("good"))["t"], tensor_));
}

// Nobody asks the handle: its error is lost, the former checkpoint is not.
TEST_F(AsyncTest, AFailureThatNobodyWaitsFor) {
  save(path(), state(), quick());
  const auto before = Checkpoint::open(path())->file().root;
  tensor_.add_(1);
  io::FaultFileSystem faults(io::posix());
  faults.set_fault({.os_error = EIO, .forever = true, .only = {io::Call::kWrite}});
  SaveOptions options = quick();
  options.writer.file_system = &faults;
  { const PendingSave lost = save_async(path(), state(), options); }
  EXPECT_TRUE(faults.fired());  // the destructor waited
  EXPECT_EQ(Checkpoint::open(path())->file().root, before);
  EXPECT_EQ(names_in(scratch_.folder()), std::vector<std::string>{"file.ingot"});
}

TEST_F(AsyncTest, TheDestructorWaits) {
  Gate gate;
  {
    const PendingSave pending = save_async(path(), state(), held(gate));
    gate.await_arrival();
    tensor_.fill_(-1);
    gate.open();
  }
  EXPECT_EQ(load_tensors(path())["t"][7].item<float>(), 7);
  { const PendingSave lost = save_async(path("no/such/folder/x"), state(), quick()); }
}

TEST_F(AsyncTest, HandlesMove) {
  PendingSave pending = save_async(path("a"), state(), quick());
  pending = save_async(path("b"), state(), quick());
  EXPECT_TRUE(std::filesystem::exists(path("a")));  // assignment waited for it
  const PendingSave moved = std::move(pending);
  PendingSave last = save_async(path("c"), state(), quick());
  last.wait();
}

TEST_F(AsyncTest, WhatCanBeKnownIsThrownAtOnce) {
  Tensor sparse = torch::ones({2, 2}).to_sparse();
  EXPECT_EQ(code_of([&] { auto p = save_async(path(), TrainingState().tensor("s", sparse)); }),
            Code::kUnsupported);
}

}  // namespace
}  // namespace ingot::libtorch::testing
