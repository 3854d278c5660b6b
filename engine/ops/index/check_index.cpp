#include "engine/ops/index/check_index.h"

#include "engine/format.h"
#include "engine/ops/index/check_index_kernels.h"
#include "engine/require.h"

namespace plumb {

Tensor checked_indices(const char* op, const Tensor& indices, int64_t limit) {
  require<DTypeError>(indices.dtype() == DType::i64 || indices.dtype() == DType::i32,
                      "{}: indices must be i64 or i32; {}", op, indices);
  if (indices.device().is_cuda()) {  // the CPU names the first index
    require<IndexError>(limit > 0 || indices.numel() == 0, "{}: indices must be in [0, {}); indices {}", op, limit,
                        indices);
    if (indices.numel() == 0) return empty(indices.shape(), DType::i64, indices.device());
  }
  Tensor checked;
  on_device(indices.device(), [&](auto backend) { checked = check_index_kernel(backend, op, indices, limit); });
  return checked;
}

}  // namespace plumb
