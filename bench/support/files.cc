#include "bench/support/files.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <vector>

#include "ingot/checkpoint.h"
#include "ingot/digest.h"
#include "ingot/exceptions.h"
#include "ingot/version.h"

#include "bench/support/descriptor.h"
#include "bench/support/options.h"

namespace ingot::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kPartBytes = std::uint64_t{16} << 20;

void write_file(const Shape& shape, const std::string& path, const WriterOptions& options) {
  WritePlan plan = shape.plan();
  Writer writer = or_throw(Writer::create(path, plan, options));
  for (std::size_t i = 0; i < shape.tensors.size(); ++i) {
    StorageId storage = plan.storage_of(static_cast<TensorId>(i));
    each_part(shape, i, [&](std::uint64_t offset, std::span<const std::byte> part) {
      or_throw(writer.write(storage, offset, part));
    });
  }
  or_throw(writer.commit());
}

// Of everything that a writer lays out in its own way: no bytes, a few, an odd number of them, more
// than a page, more than a chunk.
Shape mixed() {
  return {.name = "mixed",
          .tensors = {{"a.scalar", DType::kInt64, {}},
                      {"b.empty", DType::kFloat32, {0, 4}},
                      {"c.odd", DType::kUInt8, {3}},
                      {"d.vector", DType::kBFloat16, {1000}},
                      {"e.matrix", DType::kFloat32, {256, 256}},
                      {"f.chunks", DType::kBFloat16, {1537, 1000}}}};
}

std::vector<std::byte> bytes_of(const fs::path& path) {
  std::vector<std::byte> bytes(fs::file_size(path));
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file) throw_errno("reading " + path.string(), EIO);
  return bytes;
}

// Eight digits that change when the bytes do that this program's writer makes, and only then: a
// file that another writer has made must not be measured as this one's.
std::string digest_of_writer(const fs::path& folder) {
  const fs::path path = folder / ("writer-" + std::to_string(getpid()) + ".ingot");
  write_file(mixed(), path.string(), {.durability = Durability::kNone});
  const Digest128 digest = digest_of(bytes_of(path));
  fs::remove(path);
  char digits[9];
  std::snprintf(digits, sizeof digits, "%08x", static_cast<unsigned>(digest.low));
  return digits;
}

// The same shape by other writers: a disk has no room for all of them.
void remove_others(const fs::path& path, const std::string& beginning) {
  std::vector<fs::path> others;
  for (const auto& entry : fs::directory_iterator(path.parent_path())) {
    const bool alike = entry.path().filename().string().starts_with(beginning);
    if (alike && entry.path() != path) others.push_back(entry.path());
  }
  for (const fs::path& other : others) fs::remove(other);
}

}  // namespace

void each_part(const Shape& shape, std::size_t tensor, const TakePart& take) {
  std::uint64_t bytes = shape.tensors[tensor].bytes();
  if (!shape.source.empty()) {
    const Checkpoint source = or_throw(Checkpoint::open(shape.source));
    take(0, or_throw(source.tensor(shape.tensors[tensor].name)).bytes);
    return;
  }
  std::vector<std::byte> buffer(std::min(bytes, kPartBytes));
  for (std::uint64_t offset = 0; offset < bytes; offset += kPartBytes) {
    std::span part = std::span(buffer).first(std::min(bytes - offset, kPartBytes));
    fill(part, tensor * 1024 + offset / kPartBytes);
    take(offset, part);
  }
}

std::string cache_folder() {
  fs::create_directories(options().cache_folder);
  return options().cache_folder;
}

std::string ingot_file(const Shape& shape) {
  const fs::path folder = fs::path(cache_folder()) / "in";
  fs::create_directories(folder);
  static const std::string writer = digest_of_writer(folder);
  const std::string beginning = shape.name + "-" + std::to_string(shape.bytes()) + "-v";
  const fs::path path = folder / (beginning + std::to_string(kFormatVersionMajor) + "." +
                                  std::to_string(kFormatVersionMinor) + "-" + writer + ".ingot");
  // The writer publishes whole files only: what exists is complete.
  if (!fs::exists(path)) {
    remove_others(path, beginning);
    write_file(shape, path.string(), {});
  }
  return path.string();
}

std::string output_file(std::string_view name) {
  fs::path folder = fs::path(cache_folder()) / "out";
  fs::create_directories(folder);
  fs::path path = folder / name;
  fs::remove(path);
  return path.string();
}

}  // namespace ingot::bench
