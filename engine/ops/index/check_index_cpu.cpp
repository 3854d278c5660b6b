#include "engine/format.h"
#include "engine/ops/index/check_index_kernels.h"
#include "engine/require.h"

namespace plumb {

Tensor check_index_kernel(Cpu, const char* op, const Tensor& indices, int64_t limit) {
  Tensor dense = indices.to(DType::i64).contiguous();
  const int64_t* values = dense.data<int64_t>();
  bool all_inside = true;
  for (int64_t i = 0; i < dense.numel(); ++i) all_inside &= uint64_t(values[i]) < uint64_t(limit);
  for (int64_t i = 0; !all_inside && i < dense.numel(); ++i)
    require<IndexError>(values[i] >= 0 && values[i] < limit,
                        "{}: indices must be in [0, {}) (element {} is {}); indices {}", op, limit, i, values[i],
                        indices);
  return dense;
}

}  // namespace plumb
