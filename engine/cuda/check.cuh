#pragma once

#include <cuda_runtime.h>

#include "engine/cuda/error.h"

namespace plumb {

/// Throws CudaError naming `op` unless `status` is success. The runtime's own copy of the error is cleared, so that the
/// next call does not report it again.
inline void check_cuda(const char* op, cudaError_t status) {
  if (status == cudaSuccess) [[likely]]
    return;
  (void)cudaGetLastError();
  raise_cuda(op, cudaGetErrorName(status), cudaGetErrorString(status));
}

}  // namespace plumb
