// Forward: rows are copied as bytes, parallel over indices. Backward: parallel over columns, so that every sum is made
// by one thread in order of occurrence and any distribution of indices splits evenly.

#include <algorithm>
#include <cstring>

#include "engine/loops.h"
#include "engine/ops/index/embedding_kernels.h"

namespace plumb {

void embedding_kernel(Cpu, const Tensor& indices, const Tensor& weight, Tensor& out) {
  const int64_t bytes = weight.shape()[1] * size_of(weight.dtype());
  const int64_t* rows = indices.data<int64_t>();
  const char* table = static_cast<const char*>(weight.raw_data());
  char* to = static_cast<char*>(out.raw_mutable_data());
  parallel_for(indices.numel(), std::max<int64_t>(1, 8 * kElementGrain / bytes), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) std::memcpy(to + i * bytes, table + rows[i] * bytes, size_t(bytes));
  });
}

void embedding_backward_kernel(Cpu, const Tensor& grad, const Tensor& indices, Tensor& out) {
  const int64_t count = indices.numel(), width = out.shape()[1];
  const int64_t* rows = indices.data<int64_t>();
  // At least a cache line of columns each, so that threads do not share lines.
  const int64_t columns = std::max<int64_t>(16, 2 * kElementGrain / count);
  visit_dtype(TypeList<float, double>{}, out.dtype(), "embedding", [&]<class T>() {
    const T* from = grad.data<T>();
    T* to = out.mutable_data<T>();
    parallel_for(width, columns, [&](int64_t begin, int64_t end) {
      for (int64_t i = 0; i < count; ++i) {
        const T* source = from + i * width;
        T* target = to + rows[i] * width;
        for (int64_t j = begin; j < end; ++j) target[j] += source[j];
      }
    });
  });
}

}  // namespace plumb
