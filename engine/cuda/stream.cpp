#include "engine/cuda/stream.h"

#include <array>
#include <memory>
#include <mutex>

#include "engine/backend.h"
#include "engine/cuda/check.cuh"
#include "engine/cuda/device.h"
#include "engine/format.h"
#include "engine/random/step_scope.h"
#include "engine/require.h"

namespace plumb {
namespace {

constexpr int kMostDevices = 64;

void select(Device device) {
  const CudaDevices& devices = cuda_devices();
  require<DeviceError>(device.is_cuda() && device.index >= 0 && device.index < devices.count,
                       "cuda: {} is not available, there are {} devices{}{}", device, devices.count,
                       devices.problem.empty() ? "" : "; ", devices.problem);
  require<DeviceError>(device.index < kMostDevices, "cuda: at most {} devices are used ({})", kMostDevices, device);
  check_cuda("cudaSetDevice", cudaSetDevice(device.index));
}

// Of this thread; null: the shared one.
thread_local std::array<void*, kMostDevices> current{};

// Never destroyed: the driver may be gone before static destructors run.
void* shared_stream(Device device) {
  static std::mutex& mutex = *new std::mutex;
  static auto& streams = *new std::array<CudaStream*, kMostDevices>{};
  const std::lock_guard lock(mutex);
  CudaStream*& stream = streams[size_t(device.index)];
  if (!stream) stream = new CudaStream(device);
  return stream->handle();
}

cudaEvent_t as_event(void* handle) { return static_cast<cudaEvent_t>(handle); }
cudaStream_t as_stream(void* handle) { return static_cast<cudaStream_t>(handle); }

}  // namespace

Cuda cuda_context(Device device) {
  select(device);
  void* stream = current[size_t(device.index)];
  return {device.index, stream ? stream : shared_stream(device), is_deterministic(), random_step_on(device)};
}

CudaStream::CudaStream(Device device) : device_(device) {
  select(device);
  cudaStream_t stream = nullptr;
  check_cuda("cudaStreamCreate", cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  handle_ = stream;
}

CudaStream::~CudaStream() { (void)cudaStreamDestroy(as_stream(handle_)); }

CudaStreamScope::CudaStreamScope(const CudaStream& stream)
    : device_(stream.device().index), previous_(current[size_t(device_)]) {
  current[size_t(device_)] = stream.handle();
}

CudaStreamScope::~CudaStreamScope() { current[size_t(device_)] = previous_; }

CudaEvent::CudaEvent(Device device, bool timed) : device_(device) {
  select(device);
  cudaEvent_t event = nullptr;
  check_cuda("cudaEventCreate", cudaEventCreateWithFlags(&event, timed ? cudaEventDefault : cudaEventDisableTiming));
  handle_ = event;
}

CudaEvent::~CudaEvent() { (void)cudaEventDestroy(as_event(handle_)); }

void CudaEvent::record() {
  check_cuda("cudaEventRecord", cudaEventRecord(as_event(handle_), as_stream(cuda_context(device_).stream)));
}

void CudaEvent::block(const CudaStream& stream) const {
  check_cuda("cudaStreamWaitEvent", cudaStreamWaitEvent(as_stream(stream.handle()), as_event(handle_), 0));
}

void CudaEvent::wait() const { check_cuda("cudaEventSynchronize", cudaEventSynchronize(as_event(handle_))); }

float CudaEvent::elapsed_ms(const CudaEvent& later) const {
  float milliseconds = 0;
  check_cuda("cudaEventElapsedTime", cudaEventElapsedTime(&milliseconds, as_event(handle_), as_event(later.handle_)));
  return milliseconds;
}

}  // namespace plumb
