#include "engine/cuda/error.h"

#include "engine/require.h"

namespace plumb {

void raise_cuda(const char* op, const char* name, const char* what) {
  raise<CudaError>("{}: CUDA failed, {} ({}); launches are asynchronous, so an earlier op may be the cause", op, what,
                   name);
}

}  // namespace plumb
