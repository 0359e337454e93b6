// The functions of the double, by the names of the CUDA runtime. What is not here, Ingot does not
// use: a program that needs more does not link.
#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>

#include "tests/cuda/fake_runtime.h"

namespace {

using ingot::gpu::testing::EventPointer;
using ingot::gpu::testing::FakeCopy;
using ingot::gpu::testing::FakeRuntime;
using ingot::gpu::testing::StreamPointer;

FakeRuntime& runtime() { return FakeRuntime::get(); }

int primary_context_state(int device, unsigned int* flags, int* active) {
  const std::lock_guard lock(runtime().mutex);
  *flags = 0;
  *active = runtime().contexts.contains(device) ? 1 : 0;
  return 0;
}

// A call: under the lock, counted, and perhaps made to fail.
template <typename Work>
cudaError_t call(const char* name, Work work) {
  const std::lock_guard lock(runtime().mutex);
  if (const cudaError_t error = runtime().enter(name); error != cudaSuccess) return error;
  return work();
}

// A call that ends something. It may report another call's failure, and does its work nevertheless.
template <typename Work>
cudaError_t ending(const char* name, Work work) {
  const std::lock_guard lock(runtime().mutex);
  const cudaError_t error = runtime().enter(name);
  const cudaError_t own = work();
  return error != cudaSuccess ? error : own;
}

// What waiting came to: an error of a kernel shows here.
cudaError_t after_waiting() { return runtime().broken(); }

}  // namespace

extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
  return call("cudaGetDeviceCount", [&] {
    *count = runtime().options.devices;
    return *count > 0 ? cudaSuccess : runtime().set_last(cudaErrorNoDevice);
  });
}

cudaError_t cudaGetDevice(int* device) {
  return call("cudaGetDevice", [&] {
    *device = FakeRuntime::current_device();
    return cudaSuccess;
  });
}

cudaError_t cudaSetDevice(int device) {
  return call("cudaSetDevice", [&] {
    if (device < 0 || device >= runtime().options.devices) {
      return runtime().set_last(cudaErrorInvalidDevice);
    }
    FakeRuntime::current_device() = device;
    runtime().contexts.insert(device);
    return cudaSuccess;
  });
}

#if CUDART_VERSION >= 12000
// Of the driver there is this one function.
#if CUDART_VERSION >= 12050
cudaError_t cudaGetDriverEntryPointByVersion(const char* symbol, void** function, unsigned int,
                                             unsigned long long,
                                             cudaDriverEntryPointQueryResult* found) {
#else
cudaError_t cudaGetDriverEntryPoint(const char* symbol, void** function, unsigned long long,
                                    cudaDriverEntryPointQueryResult* found) {
#endif
  return call("cudaGetDriverEntryPoint", [&] {
    const bool known = std::strcmp(symbol, "cuDevicePrimaryCtxGetState") == 0;
    *function = known ? reinterpret_cast<void*>(&primary_context_state) : nullptr;
    *found = known ? cudaDriverEntryPointSuccess : cudaDriverEntryPointSymbolNotFound;
    return cudaSuccess;
  });
}
#endif

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  return call("cudaGetDeviceProperties", [&] {
    if (device < 0 || device >= runtime().options.devices) {
      return runtime().set_last(cudaErrorInvalidDevice);
    }
    *properties = {};
    std::strncpy(properties->name, "Double", sizeof properties->name - 1);
    properties->totalGlobalMem = runtime().options.device_bytes;
    properties->memPitch = runtime().options.largest_pitch;
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr which, int /*device*/) {
  return call("cudaDeviceGetAttribute", [&] {
    if (which != cudaDevAttrHostRegisterReadOnlySupported) {
      return runtime().set_last(cudaErrorInvalidValue);
    }
    *value = runtime().options.read_only_registration ? 1 : 0;
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceSynchronize() {
  return call("cudaDeviceSynchronize", [&] {
    runtime().run_device(FakeRuntime::current_device());
    return after_waiting();
  });
}

const char* cudaGetErrorName(cudaError_t error) {
  switch (static_cast<int>(error)) {
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorNoDevice:
      return "cudaErrorNoDevice";
    case cudaErrorIllegalAddress:
      return "cudaErrorIllegalAddress";
    case cudaErrorHostMemoryAlreadyRegistered:
      return "cudaErrorHostMemoryAlreadyRegistered";
    case cudaErrorNotSupported:
      return "cudaErrorNotSupported";
    case cudaErrorInvalidResourceHandle:
      return "cudaErrorInvalidResourceHandle";
    default:
      return "cudaErrorOfAnotherName";
  }
}

const char* cudaGetErrorString(cudaError_t /*error*/) { return "says the double"; }

cudaError_t cudaGetLastError() {
  const std::lock_guard lock(runtime().mutex);
  return runtime().take_last();
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  return call("cudaMemGetInfo", [&] {
    *total = runtime().options.device_bytes;
    *free = *total - runtime().used(FakeRuntime::current_device());
    return cudaSuccess;
  });
}

cudaError_t cudaMalloc(void** pointer, std::size_t bytes) {
  return call("cudaMalloc", [&] { return runtime().allocate(pointer, bytes); });
}

cudaError_t cudaFree(void* pointer) {
  return ending("cudaFree", [&] { return runtime().free(pointer); });
}

cudaError_t cudaHostRegister(void* pointer, std::size_t bytes, unsigned int flags) {
  return call("cudaHostRegister", [&] { return runtime().enlist(pointer, bytes, flags); });
}

cudaError_t cudaHostUnregister(void* pointer) {
  return ending("cudaHostUnregister", [&] { return runtime().delist(pointer); });
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer) {
  return call("cudaPointerGetAttributes", [&] {
    *attributes = {};
    attributes->device = -2;
    attributes->type = cudaMemoryTypeUnregistered;
    if (const auto* memory = runtime().allocation_at(pointer, 1); memory != nullptr) {
      attributes->type = cudaMemoryTypeDevice;
      attributes->device = memory->device;
    } else if (runtime().registration_at(pointer, 1) != nullptr) {
      attributes->type = cudaMemoryTypeHost;
      attributes->device = 0;
    }
    return cudaSuccess;
  });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned int flags) {
  return call("cudaStreamCreateWithFlags", [&] {
    if (flags != cudaStreamNonBlocking)
      return runtime().violate("a blocking stream", cudaErrorInvalidValue);
    *stream = runtime().add_stream();
    return cudaSuccess;
  });
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  return ending("cudaStreamDestroy", [&] {
    runtime().remove_stream(stream);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  return call("cudaStreamSynchronize", [&] {
    const StreamPointer stream = runtime().stream(handle);
    if (!stream) return runtime().violate("waiting for no stream", cudaErrorInvalidResourceHandle);
    runtime().run_all(*stream);
    return after_waiting();
  });
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event_handle, unsigned int) {
  return call("cudaStreamWaitEvent", [&] {
    const StreamPointer stream = runtime().stream(handle);
    const EventPointer event = runtime().event(event_handle);
    if (!stream || !event) {
      return runtime().violate("no stream waits for no event", cudaErrorInvalidResourceHandle);
    }
    // The event as it is now: it may be recorded anew before the stream comes here.
    runtime().give(stream,
                   {.run = [event, number = event->recorded,
                            on = event->stream] { runtime().run_until(*event, number, on); },
                    .memory = {}});
    return cudaSuccess;
  });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned int) {
  return call("cudaEventCreateWithFlags", [&] {
    *event = runtime().add_event();
    return cudaSuccess;
  });
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return ending("cudaEventDestroy", [&] {
    runtime().remove_event(event);
    return cudaSuccess;
  });
}

cudaError_t cudaEventRecord(cudaEvent_t handle, cudaStream_t stream_handle) {
  return call("cudaEventRecord", [&] {
    const EventPointer event = runtime().event(handle);
    const StreamPointer stream = runtime().stream(stream_handle);
    if (!event || !stream || event->device != stream->device) {
      return runtime().set_last(cudaErrorInvalidResourceHandle);
    }
    const std::uint64_t number = ++event->recorded;
    event->stream = stream;
    event->unready = runtime().options.unready_queries;
    runtime().give(stream,
                   {.run = [event, number] { event->reached = std::max(event->reached, number); },
                    .memory = {}});
    return cudaSuccess;
  });
}

cudaError_t cudaEventQuery(cudaEvent_t handle) {
  return call("cudaEventQuery", [&] {
    const EventPointer event = runtime().event(handle);
    if (!event) return runtime().violate("a query of no event", cudaErrorInvalidResourceHandle);
    if (event->reached < event->recorded) {
      if (event->unready-- > 0) return runtime().set_last(cudaErrorNotReady);
      runtime().run_until(*event, event->recorded, event->stream);
    }
    return after_waiting();
  });
}

cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  return call("cudaEventSynchronize", [&] {
    const EventPointer event = runtime().event(handle);
    if (!event) return runtime().violate("waiting for no event", cudaErrorInvalidResourceHandle);
    runtime().run_until(*event, event->recorded, event->stream);
    return after_waiting();
  });
}

cudaError_t cudaMemcpyAsync(void* destination, const void* source, std::size_t bytes,
                            cudaMemcpyKind kind, cudaStream_t stream) {
  return call("cudaMemcpyAsync", [&] {
    const FakeCopy copy{.destination = {.at = static_cast<std::byte*>(destination)},
                        .source = {.at = static_cast<std::byte*>(const_cast<void*>(source))},
                        .width = bytes,
                        .kind = kind};
    return runtime().copy(copy, stream);
  });
}

cudaError_t cudaMemcpy2DAsync(void* destination, std::size_t destination_pitch, const void* source,
                              std::size_t source_pitch, std::size_t width, std::size_t height,
                              cudaMemcpyKind kind, cudaStream_t stream) {
  return call("cudaMemcpy2DAsync", [&] {
    const std::uint64_t largest = runtime().options.largest_pitch;
    if (destination_pitch < width || source_pitch < width || destination_pitch > largest ||
        source_pitch > largest) {
      return runtime().violate("a pitch that cannot be", cudaErrorInvalidPitchValue);
    }
    const FakeCopy copy{
        .destination = {.at = static_cast<std::byte*>(destination), .pitch = destination_pitch},
        .source = {.at = static_cast<std::byte*>(const_cast<void*>(source)), .pitch = source_pitch},
        .width = width,
        .rows = height,
        .kind = kind};
    return runtime().copy(copy, stream);
  });
}

}  // extern "C"
