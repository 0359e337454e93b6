// Ingot as one contender among others: bench/run.py starts it in a fresh process, again and again,
// in turn with its peers. Times are taken inside, around the call; a line of JSON comes out.
//
//   bench_compare make SHAPE LISTING RAW    the tensors' list (JSON) and their bytes, for the peers
//   bench_compare ingot SHAPE FOLDER        the same as an Ingot file; prints its path
//   bench_compare warm FILE...              bring files into the page cache and prove it
//   bench_compare open|describe FILE TINY
//   bench_compare one FILE TINY NAME
//   bench_compare load|load-unverified|load-mapped|load-mapped-verified|view|verify FILE TINY
//   bench_compare checked|checked-verified FILE    what a load ends with, for the integrity test
//   bench_compare ceiling-copy|ceiling-read FILE; ceiling-write RAW FILE
//   bench_compare cold FILE...                     put files out of the page cache and prove it
//   bench_compare save SHAPE RAW FILE
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "ingot/checkpoint.h"
#include "ingot/exceptions.h"

#include "bench/compare/ceilings.h"
#include "bench/compare/loads.h"
#include "bench/support/commands.h"
#include "bench/support/files.h"
#include "bench/support/memory_read.h"
#include "bench/support/options.h"
#include "bench/support/page_cache.h"
#include "bench/support/payload.h"
#include "bench/support/run.h"
#include "bench/support/usage.h"

namespace ingot::bench {
namespace {

using nlohmann::json;

json result(double seconds) {
  return {{"seconds", seconds}, {"peak_rss_bytes", peak_resident_bytes()}};
}

json make(const Arguments& in) {
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

json warm(const Arguments& in) {
  json files = json::object();
  for (const std::string& path : in) files[path] = make_warm(path);
  return files;
}

json cold(const Arguments& in) {
  json files = json::object();
  for (const std::string& path : in) files[path] = make_cold(path);
  return files;
}

// The first open of a library in a process pays for page faults in its code: every contender opens
// a tiny file of its own format before.
void open_tiny(const Arguments& in) { or_throw(Checkpoint::open(in.at(1))); }

json open_file(const Arguments& in) {
  open_tiny(in);
  Result<Checkpoint> checkpoint(Status(Code::kInternal, "not run"));
  double seconds = time_of([&] { checkpoint = Checkpoint::open(in.at(0)); });
  or_throw(checkpoint.status());
  json out = result(seconds);
  out["tensors"] = checkpoint->tensor_count();
  return out;
}

// ... and every tensor's name, dtype and shape.
json describe(const Arguments& in) {
  open_tiny(in);
  std::uint64_t names = 0;
  std::uint64_t elements = 0;
  double seconds = time_of([&] {
    Checkpoint checkpoint = or_throw(Checkpoint::open(in.at(0)));
    checkpoint.for_each({}, [&](const TensorInfo& tensor) {
      names += tensor.name.size();
      elements += tensor.numel() + static_cast<std::uint64_t>(dtype_name(tensor.dtype).size());
    });
  });
  json out = result(seconds);
  out["name_bytes"] = names;
  out["elements"] = elements;
  return out;
}

// ... and the bytes of one tensor.
json one_tensor(const Arguments& in) {
  open_tiny(in);
  const std::string& name = in.at(2);
  std::uint64_t sum = 0;
  double seconds = time_of([&] {
    Checkpoint checkpoint = or_throw(Checkpoint::open(in.at(0)));
    sum = sum_words(or_throw(checkpoint.tensor(name)).bytes);
  });
  json out = result(seconds);
  out["sum"] = std::to_string(sum);
  return out;
}

json save_file(const Arguments& in) {
  Payload payload(shape_from(in.at(0)));
  std::ifstream raw(in.at(1), std::ios::binary);
  raw.read(reinterpret_cast<char*>(payload.bytes().data()),
           static_cast<std::streamsize>(payload.bytes().size()));
  if (!raw) throw_errno("reading " + in.at(1), EIO);
  Status status;
  double seconds = time_of([&] { status = save(payload, in.at(2), {}); });
  or_throw(status);
  return result(seconds);
}

}  // namespace
}  // namespace ingot::bench

int main(int argc, char** argv) {
  using namespace ingot::bench;
  return run_command(argc, argv,
                     {{"make", make},
                      {"ingot", make_ingot},
                      {"warm", warm},
                      {"open", open_file},
                      {"describe", describe},
                      {"one", one_tensor},
                      {"load", load_file},
                      {"load-unverified", load_unverified},
                      {"load-mapped", load_mapped},
                      {"load-mapped-verified", load_mapped_verified},
                      {"view", view_file},
                      {"verify", verify_file},
                      {"checked", checked},
                      {"checked-verified", checked_verified},
                      {"ceiling-copy", ceiling_copy},
                      {"ceiling-read", ceiling_read},
                      {"ceiling-write", ceiling_write},
                      {"cold", cold},
                      {"save", save_file}},
                     "bench/compare/main.cc");
}
