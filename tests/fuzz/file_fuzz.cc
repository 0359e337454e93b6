// A whole file: open, walk, verify, read and view every tensor. Whatever open() accepts must be
// usable without a crash, and verify() and read() must agree about which tensors are intact.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "ingot/checkpoint.h"
#include "ingot/verify.h"

#include "format/constants.h"
#include "io/memory_file_system.h"
#include "tests/fuzz/fix_digests.h"
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/walk.h"

namespace {

constexpr std::uint64_t kMaxRead = 1 << 20;

// Reads every tensor; returns whether all of those small enough were intact.
bool read_all(const ingot::Checkpoint& checkpoint) {
  bool intact = true;
  std::vector<std::byte> buffer;
  for (std::uint32_t i = 0; i < checkpoint.tensor_count(); ++i) {
    const ingot::TensorInfo tensor = checkpoint.info(i);
    if (tensor.bytes > kMaxRead) continue;
    buffer.resize(tensor.bytes);
    intact = checkpoint.read(tensor, buffer).ok() && intact;
    if (auto view = checkpoint.view(tensor); view.ok() && view->bytes.size() != tensor.bytes) {
      std::abort();
    }
  }
  return intact;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ingot::io::MemoryFileSystem files;
  files.put("/f.ingot", std::as_bytes(std::span(data, size)));
  ingot::OpenOptions options;
  options.file_system = &files;
  auto checkpoint = ingot::Checkpoint::open("/f.ingot", options);
  if (!checkpoint.ok()) return 0;
  ingot::fuzz::keep(ingot::fuzz::walk(*checkpoint));
  ingot::VerifyOptions verify;
  verify.threads = 1;
  verify.keep_going = true;
  auto report = ingot::verify(*checkpoint, verify);
  const bool readable = read_all(*checkpoint);
  if (report.ok() && report->intact() && !readable) std::abort();
  return 0;
}

#ifdef INGOT_FUZZ
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned int seed) {
  return ingot::fuzz::mutate_then_fix(data, size, max_size, seed, 2 * ingot::format::kPageBytes,
                                      ingot::fuzz::fix_file);
}
#endif
