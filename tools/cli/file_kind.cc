#include "tools/cli/file_kind.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "base/error.h"
#include "format/constants.h"
#include "tools/safetensors/shard_index.h"

namespace ingot::tools {
namespace {

bool is_folder(const std::string& path) {
  struct ::stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

bool is_regular(const std::string& path) {
  struct ::stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

FileKind kind_of(const std::string& path) {
  if (is_folder(path) || path.ends_with(safetensors::kIndexSuffix)) return FileKind::kSafetensors;
  if (!is_regular(path)) return FileKind::kUnknown;  // reading a FIFO would wait
  std::array<char, 9> first{};
  std::ifstream file(path, std::ios::binary);
  file.read(first.data(), first.size());
  const auto count = static_cast<std::size_t>(file.gcount());
  const bool magic =
      count >= format::kMagic.size() &&
      std::equal(format::kMagic.begin(), format::kMagic.end(), first.begin(),
                 [](std::uint8_t a, char b) { return a == static_cast<std::uint8_t>(b); });
  if (magic) return FileKind::kIngot;
  if (path.ends_with(".ingot")) return FileKind::kIngot;  // a damaged header, for repair to tell
  if (path.ends_with(".safetensors")) return FileKind::kSafetensors;
  return count == first.size() && first[8] == '{' ? FileKind::kSafetensors : FileKind::kUnknown;
}

Result<Checkpoint> open_checkpoint(const std::string& path) {
  // Of a folder, as of a FIFO or a device, open() says that it is no regular file.
  if (kind_of(path) == FileKind::kSafetensors && !is_folder(path)) {
    return make_error(Code::kUnsupported, "not an Ingot file but .safetensors")
        .file(path)
        .at(Region::kFile)
        .advice("ingot convert makes an Ingot file of it");
  }
  return Checkpoint::open(path);
}

}  // namespace ingot::tools
