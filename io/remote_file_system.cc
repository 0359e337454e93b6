#include "io/remote_file_system.h"

#include <sys/vfs.h>

#include <array>
#include <cstdint>
#include <utility>

namespace ingot::io {
namespace {

// statfs(2); not all of these are in linux/magic.h.
constexpr std::array<std::pair<std::uint32_t, std::string_view>, 11> kRemote = {{
    {0x6969, "nfs"},
    {0x517B, "smb"},
    {0xFF534D42, "cifs"},
    {0xFE534D42, "smb2"},
    {0x0BD00BD0, "lustre"},
    {0x47504653, "gpfs"},
    {0x00C36400, "ceph"},
    {0x65735546, "fuse"},
    {0x01021997, "9p"},
    {0x5346414F, "afs"},
    {0x19830326, "beegfs"},
}};

std::string_view name_of(const struct ::statfs& status) {
  const auto type = static_cast<std::uint32_t>(status.f_type);
  for (const auto& [magic, name] : kRemote) {
    if (magic == type) return name;
  }
  return {};
}

}  // namespace

std::string_view remote_file_system(const std::string& path) {
  struct ::statfs status {};
  return ::statfs(path.c_str(), &status) == 0 ? name_of(status) : std::string_view();
}

std::string_view remote_file_system(int descriptor) {
  struct ::statfs status {};
  return ::fstatfs(descriptor, &status) == 0 ? name_of(status) : std::string_view();
}

}  // namespace ingot::io
