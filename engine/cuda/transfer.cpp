// Copies in chunks through two pinned buffers a device: while the device reads one, the CPU fills the other.

#include "engine/cuda/transfer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <mutex>

#include "engine/backend.h"
#include "engine/cuda/capture.h"
#include "engine/cuda/check.cuh"
#include "engine/cuda/fault.h"
#include "engine/cuda/stream.h"

namespace plumb {
namespace {

constexpr size_t kChunk = size_t(4) << 20;

struct PinnedBuffer {
  explicit PinnedBuffer(Device device) : done(device) {
    check_cuda("cudaHostAlloc", cudaHostAlloc(&data, kChunk, cudaHostAllocDefault));
  }
  void* data = nullptr;
  CudaEvent done;  // the last copy out of or into it
};

struct Ring {
  explicit Ring(Device device) : buffers{PinnedBuffer(device), PinnedBuffer(device)} {}
  std::array<PinnedBuffer, 2> buffers;
  std::mutex mutex;
};

// Never destroyed, as the streams.
Ring& ring_of(Device device) {
  static std::mutex& mutex = *new std::mutex;
  static auto& rings = *new std::map<int, Ring*>;
  const std::lock_guard lock(mutex);
  Ring*& ring = rings[device.index];
  if (!ring) ring = new Ring(device);
  return *ring;
}

cudaStream_t stream_of(Device device) { return static_cast<cudaStream_t>(cuda_context(device).stream); }

}  // namespace

void copy_to_device(const void* from, void* to, size_t bytes, Device device) {
  refuse_in_capture("copy_to_device", "copy from the CPU");
  const cudaStream_t stream = stream_of(device);
  (void)index_fault(device);  // there before the first kernel that may need it, hence before any capture
  Ring& ring = ring_of(device);
  const std::lock_guard lock(ring.mutex);
  for (size_t at = 0, chunk = 0; at < bytes; at += kChunk, ++chunk) {
    PinnedBuffer& buffer = ring.buffers[chunk % 2];
    const size_t count = std::min(kChunk, bytes - at);
    buffer.done.wait();  // returns at once when nothing was recorded
    std::memcpy(buffer.data, static_cast<const char*>(from) + at, count);
    check_cuda("copy_to_device",
               cudaMemcpyAsync(static_cast<char*>(to) + at, buffer.data, count, cudaMemcpyHostToDevice, stream));
    buffer.done.record();
  }
}

void copy_to_host(const void* from, void* to, size_t bytes, Device device) {
  refuse_in_capture("copy_to_host", "read what the device computes");
  const cudaStream_t stream = stream_of(device);
  Ring& ring = ring_of(device);
  const std::lock_guard lock(ring.mutex);
  const size_t chunks = (bytes + kChunk - 1) / kChunk;
  for (size_t chunk = 0; chunk < chunks + 1; ++chunk) {  // one chunk ahead of what is copied out
    if (chunk < chunks) {
      PinnedBuffer& buffer = ring.buffers[chunk % 2];
      buffer.done.wait();
      check_cuda("copy_to_host",
                 cudaMemcpyAsync(buffer.data, static_cast<const char*>(from) + chunk * kChunk,
                                 std::min(kChunk, bytes - chunk * kChunk), cudaMemcpyDeviceToHost, stream));
      buffer.done.record();
    }
    if (chunk > 0) {
      const size_t at = (chunk - 1) * kChunk;
      PinnedBuffer& buffer = ring.buffers[(chunk - 1) % 2];
      buffer.done.wait();
      std::memcpy(static_cast<char*>(to) + at, buffer.data, std::min(kChunk, bytes - at));
    }
  }
  raise_index_fault(*index_fault(device));  // of the work before: the device has done it
}

void synchronize(Device device) {
  refuse_in_capture("synchronize", "wait for the device");
  check_cuda("synchronize", cudaStreamSynchronize(stream_of(device)));
  raise_index_fault(*index_fault(device));
}

}  // namespace plumb
