#include <atomic>
#include <exception>
#include <functional>
#include <string>
#include <system_error>
#include <thread>
#include <unordered_set>
#include <vector>

#include "base/cancel.h"
#include "libtorch/devices.h"
#include "libtorch/encode.h"
#include "libtorch/error.h"

namespace ingot::libtorch {

using torch::Tensor;

struct PendingSave::Impl {
  std::string path;
  Planned planned;
  SaveOptions options;
  ProgressCallback users_progress;
  std::uint64_t snapshot_bytes = 0;
  std::vector<std::function<void()>>
      unhashed;  // of the snapshot: the training need not wait for it
  std::atomic<std::uint64_t> done_bytes{0};
  std::atomic<std::uint64_t> total_bytes{0};
  CancelFlag cancel{false};
  std::atomic<bool> done{false};
  WriteReport report;  // these two are the thread's until it is joined
  std::exception_ptr failure;
  std::thread thread;

  void take_snapshot();

  void start() {
    options.writer.progress = {[](void* context, std::uint64_t written, std::uint64_t total) {
                                 static_cast<Impl*>(context)->on_progress(written, total);
                               },
                               this};
    options.writer.second_cancel = &cancel;
    try {
      thread = std::thread([this] { run(); });
    } catch (const std::system_error& error) {
      raise(Code::kResourceExhausted, std::string("no thread for the save: ") + error.what());
    }
  }

  void run() {
    try {
      on_progress(0, total_bytes);
      for (const auto& hash : unhashed) {
        check_cancelled();
        hash();
      }
      report = write(path, planned, options);
    } catch (...) {
      failure = std::current_exception();
    }
    planned = {};  // the snapshot
    unhashed.clear();
    done.store(true);
  }

  // What the writer looks at, before there is one.
  void check_cancelled() const {
    if (is_set(&cancel) || is_set(options.writer.cancel)) {
      raise(Code::kCancelled, path + ": cancelled while the snapshot was hashed");
    }
  }

  void on_progress(std::uint64_t written, std::uint64_t total) {
    done_bytes.store(written);
    total_bytes.store(total);
    users_progress(written, total);
  }
};

namespace {

std::span<const std::byte> bytes_of(const Tensor& bytes) {
  return {static_cast<const std::byte*>(bytes.const_data_ptr()), bytes.nbytes()};
}

// Bytes that nobody else can change: a copy, unless they are one already. From a device it is only
// begun, in the device's current stream.
Tensor owned(const Tensor& bytes, Snapshot where) {
  if (!bytes.device().is_cpu() && where == Snapshot::kHost) {
    // Page-locked memory, at the speed of the bus; LibTorch keeps it for the next time.
    Tensor copy = torch::empty(bytes.sizes(),
                               torch::TensorOptions(torch::kByte).pinned_memory(bytes.is_cuda()));
    return copy.copy_(bytes, /*non_blocking=*/bytes.is_cuda());
  }
  return bytes.storage().use_count() > 1 ? bytes.clone() : bytes;
}

// What the host has of a snapshot, and its digest: memory that fails before it is written is found.
struct HostCopy {
  Tensor bytes;
  Digest128 digest{};
};

}  // namespace

void PendingSave::Impl::take_snapshot() {
  const torch::NoGradGuard no_grad;
  std::unordered_set<torch::Device> sources;
  for (Planned::Piece& piece : planned.pieces) {
    const Tensor bytes = piece.bytes();
    if (!bytes.device().is_cpu()) sources.insert(bytes.device());
    auto copy = std::make_shared<HostCopy>();
    copy->bytes = owned(bytes, options.snapshot);
    snapshot_bytes += copy->bytes.nbytes();
    piece.makes_copy = false;
    if (!copy->bytes.device().is_cpu()) {
      piece.bytes = [copy] { return copy->bytes; };
      continue;
    }
    unhashed.emplace_back([copy] { copy->digest = digest_of(bytes_of(copy->bytes)); });
    piece.bytes = [copy] {
      if (digest_of(bytes_of(copy->bytes)) != copy->digest) {
        raise(Code::kChecksumMismatch, "the snapshot changed in memory before it was written");
      }
      return copy->bytes;
    };
  }
  settle(sources);
  planned.settled = true;
}

PendingSave::PendingSave(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PendingSave::PendingSave(PendingSave&&) noexcept = default;

PendingSave& PendingSave::operator=(PendingSave&& other) noexcept {
  if (this != &other) {
    PendingSave held(std::move(*this));
    impl_ = std::move(other.impl_);
  }
  return *this;
}

PendingSave::~PendingSave() {
  if (impl_ != nullptr && impl_->thread.joinable()) impl_->thread.join();
}

bool PendingSave::done() const { return impl_->done.load(); }

PendingSave::Progress PendingSave::progress() const {
  return {impl_->done_bytes.load(), impl_->total_bytes.load()};
}

std::uint64_t PendingSave::snapshot_bytes() const { return impl_->snapshot_bytes; }

void PendingSave::cancel() { impl_->cancel.store(true); }

const WriteReport& PendingSave::wait() {
  if (impl_->thread.joinable()) impl_->thread.join();
  if (impl_->failure) std::rethrow_exception(impl_->failure);
  return impl_->report;
}

PendingSave save_async(const std::string& path, const TrainingState& state,
                       const SaveOptions& options) {
  auto impl = std::make_unique<PendingSave::Impl>();
  impl->path = path;
  impl->planned = plan_save(state.parts());
  impl->options = options;
  impl->users_progress = options.writer.progress;
  impl->take_snapshot();
  impl->total_bytes = impl->snapshot_bytes;
  impl->start();
  return PendingSave(std::move(impl));
}

}  // namespace ingot::libtorch
