#include "engine/cuda/error.h"

#include <utility>

#include "engine/cuda/fault.h"
#include "engine/require.h"

namespace plumb {

void raise_cuda(const char* op, const char* name, const char* what) {
  raise<CudaError>("{}: CUDA failed, {} ({}); launches are asynchronous, so an earlier op may be the cause", op, what,
                   name);
}

void raise_index_fault(IndexFault& fault) {
  if (fault.count == 0) [[likely]]
    return;
  const IndexFault found = std::exchange(fault, {});
  raise<IndexError>("{}: indices must be in [0, {}) (element {} is {})", found.op, found.limit, found.position,
                    found.value);
}

}  // namespace plumb
