#include "bench/compare/inputs.h"

#include <fstream>
#include <span>

#include "ingot/checkpoint.h"

#include "bench/support/descriptor.h"
#include "bench/support/files.h"
#include "bench/support/memory_read.h"
#include "bench/support/options.h"
#include "bench/support/page_cache.h"
#include "bench/support/shapes.h"

namespace ingot::bench {

using nlohmann::json;

json make_listing(const Arguments& in) {
  Shape shape = shape_from(in.at(0));
  json listing = json::array();
  std::ofstream raw(in.at(2), std::ios::binary);
  for (std::size_t i = 0; i < shape.tensors.size(); ++i) {
    const Tensor& tensor = shape.tensors[i];
    std::uint64_t sum = 0;  // parts are whole words, all but the last
    each_part(shape, i, [&](std::uint64_t, std::span<const std::byte> part) {
      sum += sum_words(part);
      raw.write(reinterpret_cast<const char*>(part.data()),
                static_cast<std::streamsize>(part.size()));
    });
    listing.push_back({tensor.name, dtype_name(tensor.dtype), tensor.shape, tensor.bytes(), sum});
  }
  raw.close();
  std::ofstream list(in.at(1));
  list << listing;
  list.close();
  if (!raw || !list) throw_errno("writing " + in.at(1) + " and " + in.at(2));
  return {{"shape", shape.name}, {"tensors", shape.tensors.size()}, {"bytes", shape.bytes()}};
}

json make_ingot(const Arguments& in) {
  set_cache_folder(in.at(1));
  return {{"path", ingot_file(shape_from(in.at(0)))}};
}

json warm_files(const Arguments& in) {
  json files = json::object();
  for (const std::string& path : in) files[path] = make_warm(path);
  return files;
}

json cool_files(const Arguments& in) {
  json files = json::object();
  for (const std::string& path : in) files[path] = make_cold(path);
  return files;
}

}  // namespace ingot::bench
