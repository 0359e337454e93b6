#include "bench/support/files.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "ingot/checkpoint.h"
#include "ingot/exceptions.h"
#include "ingot/version.h"

#include "bench/support/options.h"

namespace ingot::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kPartBytes = std::uint64_t{16} << 20;

void write_file(const Shape& shape, const std::string& path) {
  WritePlan plan = shape.plan();
  Writer writer = or_throw(Writer::create(path, plan));
  for (std::size_t i = 0; i < shape.tensors.size(); ++i) {
    StorageId storage = plan.storage_of(static_cast<TensorId>(i));
    each_part(shape, i, [&](std::uint64_t offset, std::span<const std::byte> part) {
      or_throw(writer.write(storage, offset, part));
    });
  }
  or_throw(writer.commit());
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
  fs::path folder = fs::path(cache_folder()) / "in";
  fs::create_directories(folder);
  std::string name = shape.name + "-" + std::to_string(shape.bytes()) + "-v" +
                     std::to_string(kFormatVersionMajor) + "." +
                     std::to_string(kFormatVersionMinor) + ".ingot";
  fs::path path = folder / name;
  // The writer publishes whole files only: what exists is complete.
  if (!fs::exists(path)) write_file(shape, path.string());
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
