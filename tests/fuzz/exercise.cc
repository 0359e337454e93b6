#include "tests/fuzz/exercise.h"

#include <cstdlib>
#include <vector>

#include "ingot/checkpoint.h"
#include "ingot/verify.h"

#include "io/memory_file_system.h"
#include "tests/fuzz/walk.h"

namespace ingot::fuzz {

namespace {

constexpr std::uint64_t kMaxRead = 1 << 20;

// Reads every tensor; returns whether all of those small enough were intact.
bool read_all(const Checkpoint& checkpoint) {
  bool intact = true;
  std::vector<std::byte> buffer;
  for (std::uint32_t i = 0; i < checkpoint.tensor_count(); ++i) {
    const TensorInfo tensor = checkpoint.info(i);
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

Outcome exercise_file(Bytes file) {
  io::MemoryFileSystem files;
  files.put("/f.ingot", file);
  OpenOptions options;
  options.file_system = &files;
  const auto checkpoint = Checkpoint::open("/f.ingot", options);
  if (!checkpoint.ok()) return Outcome::kRefused;
  keep(walk(*checkpoint));
  VerifyOptions verify_options;
  verify_options.threads = 1;
  verify_options.keep_going = true;
  const auto report = verify(*checkpoint, verify_options);
  const bool readable = read_all(*checkpoint);
  if (!report.ok()) std::abort();  // nothing kept it from being made
  if (report->intact() && !readable) std::abort();
  return report->intact() ? Outcome::kIntact : Outcome::kDamaged;
}

}  // namespace ingot::fuzz
