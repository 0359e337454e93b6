// libcufile for the double of the CUDA runtime: reads into the double's device memory, a little at
// a time, and fails when a call of the runtime would.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/error.h"
#include "cuda/cufile_library.h"
#include "tests/cuda/fake_runtime.h"

namespace ingot::gpu {
namespace {

using testing::FakeRuntime;

constexpr int kCudaDriverError = 5011;
constexpr std::size_t kMostAtOnce = 100'000;

FakeRuntime& runtime() { return FakeRuntime::get(); }

bool fails(const char* name) { return runtime().enter(name) != cudaSuccess; }

CuFileError driver_open() {
  const std::lock_guard lock(runtime().mutex);
  return {fails("cuFileDriverOpen") ? kCudaDriverError : 0, 0};
}

CuFileError handle_register(CuFileHandle* handle, CuFileDescription* description) {
  const std::lock_guard lock(runtime().mutex);
  if (fails("cuFileHandleRegister")) return {kCudaDriverError, 0};
  ++runtime().cufile_handles;
  *handle = new int(description->handle.descriptor);
  return {0, 0};
}

void handle_deregister(CuFileHandle handle) {
  const std::lock_guard lock(runtime().mutex);
  --runtime().cufile_handles;
  delete static_cast<int*>(handle);
}

// Through memory that any descriptor can be read to: O_DIRECT asks for alignment.
ssize_t read_file(CuFileHandle handle, void* base, std::size_t bytes, off_t file_offset,
                  off_t base_offset) {
  const std::lock_guard lock(runtime().mutex);
  if (fails("cuFileRead")) return -kCudaDriverError;
  constexpr off_t kPage = 4096;
  const std::size_t count = std::min(bytes, kMostAtOnce);
  const off_t first = file_offset / kPage * kPage;
  const std::size_t before = static_cast<std::size_t>(file_offset - first);
  std::vector<std::byte> memory((before + count + 2 * kPage) / kPage * kPage + kPage);
  auto* aligned = memory.data();
  aligned += (kPage - reinterpret_cast<std::uintptr_t>(aligned) % kPage) % kPage;
  const std::size_t whole = (before + count + kPage - 1) / kPage * kPage;
  const ssize_t got = ::pread(*static_cast<int*>(handle), aligned, whole, first);
  if (got < 0) return -1;
  if (static_cast<std::size_t>(got) <= before) return 0;
  const std::size_t useful = std::min(static_cast<std::size_t>(got) - before, count);
  std::byte* to = runtime().shadow(static_cast<std::byte*>(base) + base_offset, useful);
  if (to == nullptr) return -kCudaDriverError;
  std::copy_n(aligned + before, useful, to);
  return static_cast<ssize_t>(useful);
}

}  // namespace

Result<const CuFileLibrary*> cufile_library() {
  static constexpr CuFileLibrary kLibrary{driver_open, handle_register, handle_deregister,
                                          read_file};
  if (runtime().options.cufile) return &kLibrary;
  return make_error(Code::kUnsupported, "cuFile is not installed").found("not on this double");
}

}  // namespace ingot::gpu
