#include "bench/compare/saves.h"

#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>

#include "ingot/exceptions.h"

#include "bench/support/payload.h"
#include "bench/support/run.h"
#include "bench/support/usage.h"

namespace ingot::bench {
namespace {

void fill_from(const std::string& raw, const Payload& payload) {
  std::ifstream file(raw, std::ios::binary);
  file.read(reinterpret_cast<char*>(payload.bytes().data()),
            static_cast<std::streamsize>(payload.bytes().size()));
  if (!file) throw_errno("reading " + raw, EIO);
}

}  // namespace

nlohmann::json save_file(const Arguments& in) {
  const Payload tiny(shape_from(in.at(3)));
  fill_from(in.at(4), tiny);
  or_throw(save(tiny, in.at(2) + ".tiny", {}));
  const Payload payload(shape_from(in.at(0)));
  fill_from(in.at(1), payload);
  sync();  // what was written until now
  reset_peak_resident_bytes();
  Status status;
  const double seconds = time_of([&] { status = save(payload, in.at(2), {}); });
  or_throw(status);
  return {{"seconds", seconds}, {"peak_rss_bytes", peak_resident_bytes()}};
}

}  // namespace ingot::bench
