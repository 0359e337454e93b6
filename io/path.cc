#include "io/file_system.h"

namespace ingot::io {

std::string_view kind_name(NodeKind kind) {
  switch (kind) {
    case NodeKind::kRegular:
      return "a regular file";
    case NodeKind::kFolder:
      return "a folder";
    case NodeKind::kSymlink:
      return "a symbolic link";
    case NodeKind::kFifo:
      return "a FIFO";
    case NodeKind::kSocket:
      return "a socket";
    case NodeKind::kDevice:
      return "a device";
  }
  return "unknown";
}

std::string folder_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

std::string_view name_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

// join(folder_of(p), name_of(p)) names what p names; a bare name stays bare.
std::string join(std::string_view folder, std::string_view name) {
  if (folder.empty() || folder == ".") return std::string(name);
  std::string path(folder);
  if (path.back() != '/') path += '/';
  return path.append(name);
}

}  // namespace ingot::io
