#include "tests/loader/counting_new.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::uint64_t> calls{0};
std::atomic<std::uint64_t> total{0};

}  // namespace

void* operator new(std::size_t bytes) {
  ++calls;
  total += bytes;
  void* memory = std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace ingot::testing {

std::uint64_t allocation_count() { return calls; }
std::uint64_t allocated_bytes() { return total; }

}  // namespace ingot::testing
