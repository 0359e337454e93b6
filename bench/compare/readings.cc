#include "bench/compare/readings.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ingot/checkpoint.h"
#include "ingot/exceptions.h"

#include "bench/compare/loads.h"
#include "bench/support/memory_read.h"
#include "bench/support/run.h"
#include "bench/support/usage.h"

namespace ingot::bench {
namespace {

using nlohmann::json;

// The clock is around `read(path)`. What it returns holds the checkpoint: to close it is not part
// of a reading. `said(result)` is what the driver compares with what is in the file.
template <typename Read, typename Said>
json timed(const Arguments& in, Read&& read, Said&& said) {
  said(read(in.at(1)));
  reset_peak_resident_bytes();
  std::optional<decltype(read(in.at(0)))> result;
  const double seconds = time_of([&] { result.emplace(read(in.at(0))); });
  const std::uint64_t peak = peak_resident_bytes();
  json answer = said(*result);
  answer["seconds"] = seconds;
  answer["peak_rss_bytes"] = peak;
  return answer;
}

Checkpoint opened(const std::string& path) { return or_throw(Checkpoint::open(path)); }

}  // namespace

json open_file(const Arguments& in) {
  return timed(in, opened, [](const Checkpoint& checkpoint) {
    return json{{"tensors", checkpoint.tensor_count()}};
  });
}

json describe_file(const Arguments& in) {
  struct Description {
    Checkpoint checkpoint;
    std::uint64_t name_bytes = 0;
    std::uint64_t elements = 0;
  };
  const auto describe = [](const std::string& path) {
    Description found{opened(path)};
    found.checkpoint.for_each({}, [&](const TensorInfo& tensor) {
      found.name_bytes += tensor.name.size();
      found.elements += tensor.numel() + dtype_name(tensor.dtype).size();
    });
    return found;
  };
  return timed(in, describe, [](const Description& found) {
    return json{{"name_bytes", found.name_bytes}, {"elements", found.elements}};
  });
}

json read_one(const Arguments& in) {
  const auto read = [&](const std::string& path) {
    const std::string& name = in.at(path == in.at(0) ? 2 : 3);
    Checkpoint checkpoint = opened(path);
    const std::uint64_t sum = sum_words(or_throw(checkpoint.tensor(name)).bytes);
    return std::pair(std::move(checkpoint), sum);
  };
  return timed(in, read, [](const std::pair<Checkpoint, std::uint64_t>& found) {
    return json{{"sum", std::to_string(found.second)}};
  });
}

json view_file(const Arguments& in) {
  using Viewed = std::pair<Checkpoint, std::vector<std::span<const std::byte>>>;
  const auto view = [](const std::string& path) {
    Checkpoint checkpoint = opened(path);
    std::vector<std::span<const std::byte>> tensors = views(checkpoint);
    return Viewed(std::move(checkpoint), std::move(tensors));
  };
  return timed(in, view, [](const Viewed& found) {
    return json{{"tensors", found.second.size()}};
  });
}

json verify_file(const Arguments& in) {
  const auto verify = [](const std::string& path) {
    Checkpoint checkpoint = opened(path);
    verify_or_throw(checkpoint, {});
    return checkpoint;
  };
  return timed(in, verify, [](const Checkpoint&) { return json::object(); });
}

}  // namespace ingot::bench
