#include "bench/training/ceilings.h"

#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <thread>
#include <vector>

#include "bench/support/descriptor.h"
#include "bench/support/direct_io.h"
#include "bench/support/hash_and_copy.h"
#include "bench/support/shapes.h"
#include "bench/training/measured.h"
#include "bench/training/training_run.h"

namespace ingot::bench {
namespace {

using nlohmann::json;

// The moments of so many MiB, every page of them touched.
std::vector<torch::Tensor> touched_moments(std::uint64_t mib) {
  std::vector<torch::Tensor> moments;
  for (std::uint64_t i = 0; i < 2 * layers_in(mib); ++i) {
    moments.push_back(torch::empty({kSide, kSide}));
    auto* bytes = static_cast<std::byte*>(moments.back().data_ptr());
    for (std::size_t at = 0; at < moments.back().nbytes(); at += 4096) bytes[at] = std::byte{1};
  }
  return moments;
}

}  // namespace

// Every shape of direct I/O once, from the FIRSTth on, so that none of them always goes first.
json write_ceilings(const Arguments& in) {
  const Memory bytes(bytes_in(std::stoull(in.at(0))));
  fill(bytes.bytes(), 1);  // as little to compress as what contenders write
  const std::string& path = in.at(1);
  const std::size_t first = std::stoull(in.at(2));
  json runs = json::object();
  for (std::size_t i = 0; i < std::size(kDirectIoShapes); ++i) {
    const DirectIoShape& shape = kDirectIoShapes[(first + i) % std::size(kDirectIoShapes)];
    ::sync();
    runs[shape.name()] = rate(write_direct(path, bytes.bytes(), shape), bytes.bytes().size());
    std::filesystem::remove(path);
  }
  return {{"runs", runs}};
}

// A save by nobody's code: each block hashed, copied and hashed, by the one thread that writes it.
json proven_write(const Arguments& in) {
  const Memory bytes(bytes_in(std::stoull(in.at(0))));
  fill(bytes.bytes(), 1);
  const std::string& path = in.at(1);
  ::sync();
  json out = rate(write_direct_through(path, bytes.bytes(), kWriterShape, hash_and_copy),
                  bytes.bytes().size());
  std::filesystem::remove(path);
  return out;
}

json copy_ceiling(const Arguments& in) {
  const Memory from(bytes_in(std::stoull(in.at(0))));
  const Memory to(from.bytes().size());
  const std::size_t size = from.bytes().size();
  const std::size_t half = size / 2;
  return measured(size, [&] {
    std::thread other([&] { std::memcpy(to.data() + half, from.data() + half, size - half); });
    std::memcpy(to.data(), from.data(), half);
    other.join();
  });
}

// What a resume has to make whoever does it: memory of LibTorch's for the moments. A few were made
// and freed before, as in every contender's process.
json fresh_memory(const Arguments& in) {
  const std::uint64_t mib = std::stoull(in.at(0));
  touched_moments(0);
  std::vector<torch::Tensor> moments;
  return measured(bytes_in(mib), [&] { moments = touched_moments(mib); });
}

}  // namespace ingot::bench
