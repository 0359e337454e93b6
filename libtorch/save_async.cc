#include <atomic>
#include <exception>
#include <thread>

#include "libtorch/encode.h"
#include "libtorch/error.h"

namespace ingot::libtorch {

using torch::Tensor;

struct PendingSave::Impl {
  std::string path;
  Planned planned;
  WriterOptions options;
  ProgressCallback users_progress;
  const CancelFlag* users_cancel = nullptr;
  std::uint64_t snapshot_bytes = 0;
  std::atomic<std::uint64_t> done_bytes{0};
  std::atomic<std::uint64_t> total_bytes{0};
  CancelFlag cancel{false};
  std::atomic<bool> done{false};
  WriteReport report;  // these two are the thread's until it is joined
  std::exception_ptr failure;
  std::thread thread;

  void start() {
    options.progress = {[](void* context, std::uint64_t written, std::uint64_t total) {
                          static_cast<Impl*>(context)->on_progress(written, total);
                        },
                        this};
    options.cancel = &cancel;
    thread = std::thread([this] { run(); });
  }

  void run() {
    try {
      on_progress(0, total_bytes);
      report = write(path, planned, options);
    } catch (...) {
      failure = std::current_exception();
    }
    planned = {};  // the snapshot
    done.store(true);
  }

  void on_progress(std::uint64_t written, std::uint64_t total) {
    done_bytes.store(written);
    total_bytes.store(total);
    users_progress(written, total);
    if (users_cancel != nullptr && users_cancel->load()) cancel.store(true);
  }
};

namespace {

// Bytes that nobody else can change: a copy, unless they are one already.
Tensor owned(const Tensor& bytes) {
  return bytes.storage().use_count() > 1 ? bytes.clone() : bytes;
}

std::span<const std::byte> bytes_of(const Tensor& bytes) {
  return {static_cast<const std::byte*>(bytes.const_data_ptr()), bytes.nbytes()};
}

std::uint64_t take_snapshot(Planned& planned) {
  const torch::NoGradGuard no_grad;
  std::uint64_t total = 0;
  for (Planned::Piece& piece : planned.pieces) {
    Tensor copy = owned(piece.bytes());
    total += copy.nbytes();
    // Hashed now and again when it is written: memory that fails in between is found.
    const Digest128 digest = digest_of(bytes_of(copy));
    piece.bytes = [copy = std::move(copy), digest] {
      if (digest_of(bytes_of(copy)) != digest) {
        raise(Code::kChecksumMismatch, "the snapshot changed in memory before it was written");
      }
      return copy;
    };
  }
  return total;
}

}  // namespace

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
  impl->options = options.writer;
  impl->users_progress = options.writer.progress;
  impl->users_cancel = options.writer.cancel;
  impl->snapshot_bytes = take_snapshot(impl->planned);
  impl->total_bytes = impl->snapshot_bytes;
  impl->start();
  return PendingSave(std::move(impl));
}

}  // namespace ingot::libtorch
