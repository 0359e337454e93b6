// The functions of libcufile (GPUDirect Storage) that Ingot uses. The library is no part of the
// CUDA runtime and is not linked: it is loaded when a device is first asked to read a file.
//
// Declared here, because its header is not part of every CUDA Toolkit installation. Facts: NVIDIA's
// cuFile API reference; the ABI of libcufile.so.0.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "ingot/status.h"

namespace ingot::gpu {

struct CuFileError {
  int error;       // CUfileOpError: 0, or 5001 and above
  int cuda_error;  // CUresult, when `error` says so
};

struct CuFileDescription {
  int type;  // 1: a descriptor of Linux
  union {
    int descriptor;
    void* unused;
  } handle;
  const void* operations;  // null, but for file systems in user space
};
static_assert(sizeof(CuFileError) == 8 && sizeof(CuFileDescription) == 24);

using CuFileHandle = void*;

struct CuFileLibrary {
  CuFileError (*driver_open)();
  CuFileError (*handle_register)(CuFileHandle* handle, CuFileDescription* description);
  void (*handle_deregister)(CuFileHandle handle);
  // Bytes read; -1 and errno; or the negative of a CUfileOpError.
  ssize_t (*read)(CuFileHandle handle, void* base, std::size_t bytes, off_t file_offset,
                  off_t base_offset);
};

// Loaded once and for the rest of the process. kUnsupported, with the reason, where it is not
// installed. Any thread.
Result<const CuFileLibrary*> cufile_library();

}  // namespace ingot::gpu
