#include "cuda/cufile.h"

#include <algorithm>
#include <cerrno>
#include <string>

#include "base/error.h"
#include "cuda/cufile_library.h"
#include "cuda/device_guard.h"
#include "cuda/error.h"

namespace ingot::gpu {
namespace {

constexpr int kDriverAlreadyOpen = 5026;
constexpr int kLinuxDescriptor = 1;
// More is asked for in several calls.
constexpr std::uint64_t kMostAtOnce = std::uint64_t{1} << 30;

std::string text_of(int error) { return "cuFile error " + std::to_string(error); }

class CuFile final : public DeviceFile {
 public:
  CuFile(const CuFileLibrary& library, CuFileHandle handle, int ordinal)
      : library_(library), handle_(handle), ordinal_(ordinal) {}
  ~CuFile() override { library_.handle_deregister(handle_); }
  CuFile(const CuFile&) = delete;
  CuFile& operator=(const CuFile&) = delete;

  Status read(std::uint64_t offset, const DeviceSpan& destination) override {
    DeviceGuard guard(ordinal_);
    INGOT_RETURN_IF_ERROR(guard.status());
    for (std::uint64_t done = 0; done < destination.bytes;) {
      const std::uint64_t bytes = std::min(kMostAtOnce, destination.bytes - done);
      const ssize_t got =
          library_.read(handle_, destination.data, static_cast<std::size_t>(bytes),
                        static_cast<off_t>(offset + done), static_cast<off_t>(done));
      if (got == -1 && errno == EINTR) continue;
      if (got < 0) return failed(got, errno);
      if (got == 0) return make_error(Code::kTruncated, "the file ends before what is to be read");
      done += static_cast<std::uint64_t>(got);
    }
    return {};
  }

 private:
  Status failed(ssize_t result, int number) const {
    if (result == -1) {
      return make_error(Code::kIoError, "cuFile cannot read").os_error(number);
    }
    return make_error(Code::kDeviceError, device_name(ordinal_) + " cannot read the file")
        .found(text_of(static_cast<int>(-result)));
  }

  const CuFileLibrary& library_;
  const CuFileHandle handle_;
  const int ordinal_;
};

}  // namespace

Result<std::unique_ptr<DeviceFile>> open_cufile(int ordinal, int descriptor) {
  INGOT_ASSIGN_OR_RETURN(const CuFileLibrary* library, cufile_library());
  DeviceGuard guard(ordinal);
  INGOT_RETURN_IF_ERROR(guard.status());
  const CuFileError opened = library->driver_open();
  if (opened.error != 0 && opened.error != kDriverAlreadyOpen) {
    return make_error(Code::kUnsupported, "the driver of cuFile is not there")
        .found(text_of(opened.error));
  }
  CuFileDescription description{};
  description.type = kLinuxDescriptor;
  description.handle.descriptor = descriptor;
  CuFileHandle handle = nullptr;
  const CuFileError registered = library->handle_register(&handle, &description);
  if (registered.error != 0) {
    return make_error(Code::kUnsupported, "cuFile does not take this file")
        .found(text_of(registered.error));
  }
  return {std::make_unique<CuFile>(*library, handle, ordinal)};
}

}  // namespace ingot::gpu
