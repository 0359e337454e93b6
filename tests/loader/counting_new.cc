#include "tests/loader/counting_new.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <utility>

namespace {

std::atomic<std::uint64_t> calls{0};
std::atomic<std::uint64_t> live{0};

// Allocations until one fails; none when negative.
thread_local std::int64_t until_failure = -1;

bool must_fail() { return until_failure >= 0 && until_failure-- == 0; }

void release(void* memory) noexcept {
  if (memory != nullptr) live -= malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t bytes) {
  if (must_fail()) throw std::bad_alloc();
  void* memory = std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) throw std::bad_alloc();
  ++calls;
  live += malloc_usable_size(memory);
  return memory;
}
void operator delete(void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }

namespace ingot::testing {

std::uint64_t allocation_count() { return calls; }
std::uint64_t live_bytes() { return live; }
void fail_allocation(std::uint64_t n) { until_failure = static_cast<std::int64_t>(n); }
bool stop_failing() { return std::exchange(until_failure, -1) < 0; }

}  // namespace ingot::testing
