#pragma once

#include "engine/device.h"

namespace plumb {

/// A stream of a CUDA device that does not wait for the default stream. Throws CudaError, DeviceError.
class CudaStream {
 public:
  explicit CudaStream(Device device);
  ~CudaStream();
  CudaStream(const CudaStream&) = delete;
  CudaStream& operator=(const CudaStream&) = delete;

  Device device() const { return device_; }
  /// A cudaStream_t.
  void* handle() const { return handle_; }

 private:
  Device device_;
  void* handle_ = nullptr;
};

/// Makes `stream` the current one of its device on this thread while it lives. Without any, a device's current stream
/// is one that all threads share.
class CudaStreamScope {
 public:
  explicit CudaStreamScope(const CudaStream& stream);
  ~CudaStreamScope();
  CudaStreamScope(const CudaStreamScope&) = delete;
  CudaStreamScope& operator=(const CudaStreamScope&) = delete;

 private:
  int device_;
  void* previous_;
};

/// A mark in a stream: lets another stream, or the CPU, wait until the work before it is done.
class CudaEvent {
 public:
  /// `timed`: elapsed_ms may be asked; costs a little more.
  explicit CudaEvent(Device device, bool timed = false);
  ~CudaEvent();
  CudaEvent(const CudaEvent&) = delete;
  CudaEvent& operator=(const CudaEvent&) = delete;

  /// Marks the current end of the device's current stream.
  void record();
  /// What is asked of `stream` from now on waits for the mark.
  void block(const CudaStream& stream) const;
  /// The CPU waits for the mark.
  void wait() const;
  /// Milliseconds of the device between two reached marks.
  float elapsed_ms(const CudaEvent& later) const;

 private:
  Device device_;
  void* handle_ = nullptr;
};

}  // namespace plumb
