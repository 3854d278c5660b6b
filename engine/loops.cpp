#include "engine/loops.h"

#include <algorithm>

namespace plumb {

Strides broadcast_strides(const Tensor& x, const Shape& shape) {
  Strides strides = Dims::filled(shape.rank(), 0);
  const int64_t lead = shape.rank() - x.rank();
  for (int64_t d = 0; d < x.rank(); ++d) strides[lead + d] = x.shape()[d] == 1 ? 0 : x.strides()[d];
  return strides;
}

namespace detail {

int64_t coalesce(int64_t* sizes, int64_t* const* strides, int64_t rank, int operands) {
  auto move = [&](int64_t from, int64_t to) {
    sizes[to] = sizes[from];
    for (int i = 0; i < operands; ++i) strides[i][to] = strides[i][from];
  };
  int64_t kept = 0;
  for (int64_t d = 0; d < rank; ++d)
    if (sizes[d] != 1) move(d, kept++);
  // Insertion sort by the first operand's strides; stable, and nearly always already sorted.
  for (int64_t d = 1; d < kept; ++d)
    for (int64_t e = d; e > 0 && strides[0][e - 1] < strides[0][e]; --e) {
      std::swap(sizes[e - 1], sizes[e]);
      for (int i = 0; i < operands; ++i) std::swap(strides[i][e - 1], strides[i][e]);
    }
  if (kept == 0) return 0;
  int64_t last = 0;
  for (int64_t d = 1; d < kept; ++d) {
    bool behind = true;
    for (int i = 0; i < operands; ++i) behind = behind && strides[i][last] == strides[i][d] * sizes[d];
    if (behind) {
      sizes[last] *= sizes[d];
      for (int i = 0; i < operands; ++i) strides[i][last] = strides[i][d];
    } else {
      move(d, ++last);
    }
  }
  return last + 1;
}

}  // namespace detail
}  // namespace plumb
