#include "tools/cli/device_option.h"

#include <charconv>
#include <optional>
#include <string_view>

#if INGOT_HAVE_CUDA
#include "ingot/cuda.h"
#endif

#include "base/error.h"

namespace ingot::tools {
namespace {

// The number of a GPU; nullopt when the name is not one of a GPU.
std::optional<int> cuda_ordinal(std::string_view name) {
  if (name == "cuda") return 0;
  constexpr std::string_view kPrefix = "cuda:";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const std::string_view digits = name.substr(kPrefix.size());
  int ordinal = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), ordinal);
  if (error != std::errc() || end != digits.data() + digits.size() || ordinal < 0) {
    return std::nullopt;
  }
  return ordinal;
}

}  // namespace

Result<std::unique_ptr<Device>> open_device(const std::string& name) {
  if (name == "host") return make_host_device();
  const std::optional<int> ordinal = cuda_ordinal(name);
  if (!ordinal) {
    return make_error(Code::kInvalidArgument, "--device").expected("host or cuda:N").found(name);
  }
#if INGOT_HAVE_CUDA
  INGOT_ASSIGN_OR_RETURN(std::unique_ptr<gpu::CudaDevice> device,
                         gpu::open_device({.ordinal = *ordinal}));
  return {std::move(device)};
#else
  return make_error(Code::kUnsupported, "this build of ingot has no CUDA")
      .advice("configure with -DINGOT_CUDA=ON where nvcc is installed");
#endif
}

}  // namespace ingot::tools
