#include "bench/compare/readings.h"

#include <cstdint>
#include <span>
#include <string>
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

// `read(path)` gives what it found, which the driver compares with what is in the file.
template <typename Read>
json timed(const Arguments& in, Read&& read) {
  read(in.at(1));
  reset_peak_resident_bytes();
  json answer;
  const double seconds = time_of([&] { answer = read(in.at(0)); });
  answer["seconds"] = seconds;
  answer["peak_rss_bytes"] = peak_resident_bytes();
  return answer;
}

}  // namespace

json open_file(const Arguments& in) {
  return timed(in, [](const std::string& path) {
    return json{{"tensors", or_throw(Checkpoint::open(path)).tensor_count()}};
  });
}

json describe_file(const Arguments& in) {
  return timed(in, [](const std::string& path) {
    std::uint64_t names = 0;
    std::uint64_t elements = 0;
    const Checkpoint checkpoint = or_throw(Checkpoint::open(path));
    checkpoint.for_each({}, [&](const TensorInfo& tensor) {
      names += tensor.name.size();
      elements += tensor.numel() + static_cast<std::uint64_t>(dtype_name(tensor.dtype).size());
    });
    return json{{"name_bytes", names}, {"elements", elements}};
  });
}

json read_one(const Arguments& in) {
  return timed(in, [&](const std::string& path) {
    const std::string& name = in.at(path == in.at(0) ? 2 : 3);
    const Checkpoint checkpoint = or_throw(Checkpoint::open(path));
    return json{{"sum", std::to_string(sum_words(or_throw(checkpoint.tensor(name)).bytes))}};
  });
}

json view_file(const Arguments& in) {
  return timed(in, [](const std::string& path) {
    return json{{"tensors", views(or_throw(Checkpoint::open(path))).size()}};
  });
}

json verify_file(const Arguments& in) {
  return timed(in, [](const std::string& path) {
    verify_or_throw(or_throw(Checkpoint::open(path)), {});
    return json::object();
  });
}

}  // namespace ingot::bench
