#include "libtorch/error.h"

namespace ingot::libtorch {

std::string load_attachment(const std::string& path, const std::string& name,
                            const OpenOptions& options) {
  const Checkpoint checkpoint = take(Checkpoint::open(path, options));
  const std::optional<AttachmentInfo> found = checkpoint.find_attachment(name);
  if (!found) {
    throw Error(
        Status(Code::kNotFound, path + ": no attachment \"" + name + "\"", {.tensor = name}));
  }
  const std::vector<std::byte> bytes = take(checkpoint.read_attachment(*found));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace ingot::libtorch
