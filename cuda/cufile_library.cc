#include "cuda/cufile_library.h"

#include <dlfcn.h>

#include <string>

#include "base/error.h"

namespace ingot::gpu {
namespace {

struct Loaded {
  CuFileLibrary functions{};
  std::string refusal;  // empty: it is there
};

template <typename Function>
void find(void* library, const char* name, Function** function, std::string* refusal) {
  *function = reinterpret_cast<Function*>(::dlsym(library, name));
  if (*function == nullptr && refusal->empty()) *refusal = std::string("it has no ") + name;
}

Loaded load() {
  Loaded out;
  void* library = ::dlopen("libcufile.so.0", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = ::dlerror();
    out.refusal = why != nullptr ? why : "libcufile.so.0 cannot be loaded";
    return out;
  }
  find(library, "cuFileDriverOpen", &out.functions.driver_open, &out.refusal);
  find(library, "cuFileHandleRegister", &out.functions.handle_register, &out.refusal);
  find(library, "cuFileHandleDeregister", &out.functions.handle_deregister, &out.refusal);
  find(library, "cuFileRead", &out.functions.read, &out.refusal);
  return out;
}

}  // namespace

Result<const CuFileLibrary*> cufile_library() {
  static const Loaded loaded = load();
  if (loaded.refusal.empty()) return &loaded.functions;
  return make_error(Code::kUnsupported, "cuFile is not installed").found(loaded.refusal);
}

}  // namespace ingot::gpu
