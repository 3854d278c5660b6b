#pragma once

#include <string>

namespace plumb {

/// What device discovery found. Any error of it means 0 devices.
struct CudaDevices {
  int count = 0;
  std::string problem;  ///< why there are none, one line; empty when there are some
};

/// Looked up once. Never throws: no driver, no device and no CUDA in this build are all the same "none".
const CudaDevices& cuda_devices();

}  // namespace plumb
