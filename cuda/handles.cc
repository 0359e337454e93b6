#include "cuda/handles.h"

#include "cuda/error.h"

namespace ingot::gpu {

Result<Stream> Stream::create(int ordinal) {
  cudaStream_t handle = nullptr;
  INGOT_RETURN_IF_ERROR(check(cudaStreamCreateWithFlags(&handle, cudaStreamNonBlocking),
                              "cudaStreamCreateWithFlags", ordinal));
  return Stream(handle, ordinal);
}

Stream::~Stream() {
  if (handle_ != nullptr) ignore(cudaStreamDestroy(handle_));
}

Status Stream::settle() const {
  const cudaError_t error = cudaStreamSynchronize(handle_);
  if (error == cudaSuccess) return {};
  // An error need not mean that the work has ended.
  ignore(cudaDeviceSynchronize());
  return check(error, "cudaStreamSynchronize", ordinal_);
}

Result<Event> Event::create(int ordinal) {
  cudaEvent_t handle = nullptr;
  INGOT_RETURN_IF_ERROR(
      check(cudaEventCreateWithFlags(&handle, cudaEventDisableTiming | cudaEventBlockingSync),
            "cudaEventCreateWithFlags", ordinal));
  return Event(handle, ordinal);
}

Event::~Event() {
  if (handle_ != nullptr) ignore(cudaEventDestroy(handle_));
}

Status Event::record(cudaStream_t stream) const {
  return check(cudaEventRecord(handle_, stream), "cudaEventRecord", ordinal_);
}

Status Event::wait() const {
  return check(cudaEventSynchronize(handle_), "cudaEventSynchronize", ordinal_);
}

Result<bool> Event::reached() const {
  const cudaError_t error = cudaEventQuery(handle_);
  if (error == cudaErrorNotReady) {
    ignore(error);
    return false;
  }
  INGOT_RETURN_IF_ERROR(check(error, "cudaEventQuery", ordinal_));
  return true;
}

Status Event::hold(cudaStream_t stream) const {
  return check(cudaStreamWaitEvent(stream, handle_, 0), "cudaStreamWaitEvent", ordinal_);
}

}  // namespace ingot::gpu
