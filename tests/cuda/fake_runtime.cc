// The double's order of events: streams, what was given to them, and when it happens.
#include "tests/cuda/fake_runtime.h"

#include <algorithm>
#include <utility>

namespace ingot::gpu::testing {
namespace {

thread_local cudaError_t g_last_error = cudaSuccess;
thread_local int g_device = 0;

}  // namespace

int& FakeRuntime::current_device() { return g_device; }

FakeRuntime& FakeRuntime::get() {
  static FakeRuntime runtime;
  return runtime;
}

// Work that waits holds its event, and an event its stream: neither would ever go.
void FakeRuntime::forget_work() {
  for (const auto& [handle, stream] : streams_) stream->work.clear();
  for (const auto& [device, stream] : default_streams_) stream->work.clear();
  for (const StreamPointer& stream : orphans_) stream->work.clear();
}

void FakeRuntime::reset(const FakeOptions& new_options) {
  const std::lock_guard lock(mutex);
  g_device = 0;
  options = new_options;
  calls_ = fail_at_ = streams_made_ = 0;
  calls_of_.clear();
  broken_ = cudaSuccess;
  random_.seed(options.seed);
  violations_.clear();
  forget_work();
  streams_.clear();
  default_streams_.clear();
  orphans_.clear();
  events_.clear();
  allocations_.clear();
  registrations_.clear();
  contexts.clear();
  g_last_error = cudaSuccess;
}

void FakeRuntime::fail_call(std::uint64_t n, cudaError_t error, Lasting lasting) {
  const std::lock_guard lock(mutex);
  fail_at_ = calls_ + n;
  failure_ = error;
  lasting_ = lasting;
}

FakeLive FakeRuntime::live() const {
  return {.streams = streams_.size(),
          .events = events_.size(),
          .registrations = registrations_.size(),
          .allocations = allocations_.size()};
}

cudaError_t FakeRuntime::last_error() const {
  return broken_ != cudaSuccess ? broken_ : g_last_error;
}

cudaError_t FakeRuntime::enter(const char* name) {
  ++calls_;
  ++calls_of_[name];
  if (broken_ != cudaSuccess) return broken_;
  if (options.when == When::kSeeded) run_some();
  if (calls_ != fail_at_) return broken_;
  if (lasting_ == Lasting::kForever) end_context(failure_);
  return set_last(failure_);
}

cudaError_t FakeRuntime::set_last(cudaError_t error) { return g_last_error = error; }

cudaError_t FakeRuntime::take_last() {
  if (broken_ != cudaSuccess) return broken_;
  return std::exchange(g_last_error, cudaSuccess);
}

cudaError_t FakeRuntime::violate(const std::string& text, cudaError_t error) {
  violations_.push_back(text);
  return error == cudaSuccess ? error : set_last(error);
}

// What was under way never finishes.
void FakeRuntime::end_context(cudaError_t error) {
  broken_ = error;
  forget_work();
  orphans_.clear();
}

StreamPointer FakeRuntime::stream(cudaStream_t handle) {
  if (handle == nullptr) {
    StreamPointer& found = default_streams_[g_device];
    if (!found) found = make_stream();
    return found;
  }
  const auto found = streams_.find(handle);
  return found == streams_.end() ? nullptr : found->second;
}

EventPointer FakeRuntime::event(cudaEvent_t handle) {
  const auto found = events_.find(handle);
  return found == events_.end() ? nullptr : found->second;
}

StreamPointer FakeRuntime::make_stream() {
  auto made = std::make_shared<FakeStream>();
  made->device = g_device;
  made->at_once = options.when == When::kAtOnce ||
                  (options.when == When::kEveryOtherStream && ++streams_made_ % 2 == 0);
  return made;
}

cudaStream_t FakeRuntime::add_stream() {
  StreamPointer made = make_stream();
  auto* handle = reinterpret_cast<cudaStream_t>(made.get());
  streams_[handle] = std::move(made);
  return handle;
}

cudaEvent_t FakeRuntime::add_event() {
  auto made = std::make_shared<FakeEvent>();
  made->device = g_device;
  auto* handle = reinterpret_cast<cudaEvent_t>(made.get());
  events_[handle] = std::move(made);
  return handle;
}

void FakeRuntime::remove_stream(cudaStream_t handle) {
  const auto found = streams_.find(handle);
  if (found == streams_.end()) {
    violate("cudaStreamDestroy of no stream", {});
    return;
  }
  if (!found->second->work.empty()) orphans_.push_back(found->second);
  streams_.erase(found);
}

void FakeRuntime::remove_event(cudaEvent_t handle) {
  if (events_.erase(handle) == 0) violate("cudaEventDestroy of no event", {});
}

void FakeRuntime::give(const StreamPointer& stream, FakeWork work) {
  stream->work.push_back(std::move(work));
  if (stream->at_once) run_all(*stream);
}

void FakeRuntime::run_next(FakeStream& stream) {
  FakeWork work = std::move(stream.work.front());
  stream.work.pop_front();
  for (const std::uint64_t id : work.memory) {
    if (!exists(id)) {
      violate("work names memory that is gone", {});
      return;
    }
  }
  work.run();
}

void FakeRuntime::run_all(FakeStream& stream) {
  while (!stream.work.empty()) run_next(stream);
}

void FakeRuntime::run_until(const FakeEvent& event, std::uint64_t number,
                            const StreamPointer& stream) {
  while (event.reached < number && stream && !stream->work.empty()) run_next(*stream);
}

void FakeRuntime::run_device(int device) {
  for (auto& [handle, stream] : streams_) {
    if (stream->device == device) run_all(*stream);
  }
  for (auto& [ordinal, stream] : default_streams_) {
    if (ordinal == device) run_all(*stream);
  }
  for (const StreamPointer& stream : std::exchange(orphans_, {})) run_all(*stream);
}

void FakeRuntime::run_some() {
  std::vector<StreamPointer> busy;
  for (auto& [handle, stream] : streams_) {
    if (!stream->work.empty()) busy.push_back(stream);
  }
  for (std::uint64_t i = random_() % 3; i > 0 && !busy.empty(); --i) {
    FakeStream& stream = *busy[random_() % busy.size()];
    if (!stream.work.empty()) run_next(stream);
  }
}

bool FakeRuntime::in_use(std::uint64_t id) const {
  const auto names = [id](const StreamPointer& stream) {
    return std::any_of(stream->work.begin(), stream->work.end(), [id](const FakeWork& work) {
      return std::find(work.memory.begin(), work.memory.end(), id) != work.memory.end();
    });
  };
  return std::any_of(streams_.begin(), streams_.end(),
                     [&](const auto& entry) { return names(entry.second); }) ||
         std::any_of(default_streams_.begin(), default_streams_.end(),
                     [&](const auto& entry) { return names(entry.second); }) ||
         std::any_of(orphans_.begin(), orphans_.end(), names);
}

}  // namespace ingot::gpu::testing
