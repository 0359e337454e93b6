#include "bench/compare/saves.h"

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <fstream>
#include <string>
#include <vector>

#include "ingot/exceptions.h"
#include "ingot/writer.h"

#include "bench/support/descriptor.h"
#include "bench/support/run.h"
#include "bench/support/shapes.h"
#include "bench/support/usage.h"

namespace ingot::bench {
namespace {

// Tensors in pages as malloc gives them, each with memory of its own: as the peers have theirs.
// support/payload.h's lie in one piece on huge pages, from which a save is quicker.
struct Tensors {
  Shape shape;
  std::vector<std::vector<std::byte>> bytes;
};

Tensors tensors_from(const std::string& shape, const std::string& raw) {
  Tensors tensors{.shape = shape_from(shape), .bytes = {}};
  std::ifstream file(raw, std::ios::binary);
  for (const Tensor& tensor : tensors.shape.tensors) {
    std::vector<std::byte>& bytes = tensors.bytes.emplace_back(tensor.bytes());
    file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  if (!file) throw_errno("reading " + raw, EIO);
  return tensors;
}

// What a caller would write.
Status save(const Tensors& tensors, const std::string& path) {
  const WritePlan plan = tensors.shape.plan();
  INGOT_ASSIGN_OR_RETURN(Writer writer, Writer::create(path, plan, {}));
  for (std::size_t i = 0; i < tensors.bytes.size(); ++i) {
    INGOT_RETURN_IF_ERROR(writer.write(static_cast<TensorId>(i), tensors.bytes[i]));
  }
  return writer.commit();
}

}  // namespace

nlohmann::json save_file(const Arguments& in) {
  or_throw(save(tensors_from(in.at(3), in.at(4)), in.at(2) + ".tiny"));
  const Tensors tensors = tensors_from(in.at(0), in.at(1));
  sync();  // what was written until now
  reset_peak_resident_bytes();
  Status status;
  const double seconds = time_of([&] { status = save(tensors, in.at(2)); });
  or_throw(status);
  return {{"seconds", seconds}, {"peak_rss_bytes", peak_resident_bytes()}};
}

}  // namespace ingot::bench
