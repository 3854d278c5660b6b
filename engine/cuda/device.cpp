#include "engine/cuda/device.h"

#include <cuda_runtime.h>

namespace plumb {
namespace {

CudaDevices discover() {
  int count = 0;  // stays as it is when the call fails
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaSuccess && count > 0) return {count, {}};
  (void)cudaGetLastError();
  if (status == cudaSuccess) return {0, "CUDA finds no device"};
  return {0,
          std::string("CUDA finds no device (") + cudaGetErrorName(status) + ": " + cudaGetErrorString(status) + ")"};
}

}  // namespace

const CudaDevices& cuda_devices() {
  static const CudaDevices devices = discover();
  return devices;
}

}  // namespace plumb
