// Both tensors seen as rows of bytes: a part contributes one run to every row of the output.

#include <algorithm>
#include <cstring>

#include "engine/loops.h"
#include "engine/ops/layout/cat_kernels.h"

namespace plumb {

void cat_kernel(Cpu, const Tensor& part, int64_t dim, int64_t start, Tensor& out) {
  int64_t rows = 1, inner = size_of(out.dtype());
  for (int64_t d = 0; d < dim; ++d) rows *= out.shape()[d];
  for (int64_t d = dim + 1; d < out.rank(); ++d) inner *= out.shape()[d];
  const int64_t run = part.shape()[dim] * inner, stride = out.shape()[dim] * inner;
  const char* from = static_cast<const char*>(part.raw_data());
  char* to = static_cast<char*>(out.raw_mutable_data()) + start * inner;
  parallel_for(rows, std::max<int64_t>(1, 8 * kElementGrain / run), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) std::memcpy(to + row * stride, from + row * run, size_t(run));
  });
}

}  // namespace plumb
