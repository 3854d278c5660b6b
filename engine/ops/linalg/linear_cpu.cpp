// The product is gemm (engine/gemm.h), bias included. Column sums: blocks of kBlockRows rows are summed in
// the element type, then the blocks in double, in order, which keeps long sums accurate at the cost of a short one.

#include <algorithm>
#include <vector>

#include "engine/gemm.h"
#include "engine/loops.h"
#include "engine/ops/linalg/linear_kernels.h"
#include "engine/ops/linalg/matmul_kernels.h"

namespace plumb {
namespace {

constexpr int64_t kBlockRows = 128;

/// Four rows a pass, so that the sums are read and written a quarter as often as the rows.
template <class T>
void sum_rows(const T* rows, int64_t count, int64_t width, int64_t stride, T* sum) {
  std::fill(sum, sum + width, T(0));
  int64_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const T* row = rows + i * stride;
    for (int64_t j = 0; j < width; ++j)
      sum[j] += (row[j] + row[stride + j]) + (row[2 * stride + j] + row[3 * stride + j]);
  }
  for (; i < count; ++i)
    for (int64_t j = 0; j < width; ++j) sum[j] += rows[i * stride + j];
}

}  // namespace

void linear_kernel(Cpu, const Tensor& x, const Tensor& weight, const Tensor& bias, Tensor& out) {
  const MatrixLayout input = matrix_layout(x), matrix = matrix_layout(weight);
  const GemmSize size{out.shape()[0], out.shape()[1], x.shape()[1]};
  visit_dtype(TypeList<float, double>{}, out.dtype(), "linear", [&]<class T>() {
    gemm<T>(size, {x.data<T>(), input.ld, input.transposed}, {weight.data<T>(), matrix.ld, !matrix.transposed},
            {.data = out.mutable_data<T>(), .ld = size.n, .bias = bias.defined() ? bias.data<T>() : nullptr});
  });
}

void column_sum_kernel(Cpu, const Tensor& grad, Tensor& out) {
  const int64_t rows = grad.shape()[0], width = grad.shape()[1], stride = grad.strides()[0];
  visit_dtype(TypeList<float, double>{}, grad.dtype(), "linear", [&]<class T>() {
    const T* data = grad.data<T>();
    T* sum = out.mutable_data<T>();
    if (rows <= kBlockRows) return sum_rows(data, rows, width, stride, sum);
    const int64_t blocks = (rows + kBlockRows - 1) / kBlockRows;
    std::vector<T> partial(size_t(blocks * width));  // [blocks, width]
    parallel_for(blocks, std::max<int64_t>(1, 4 * kElementGrain / (kBlockRows * width)),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t b = begin; b < end; ++b)
                     sum_rows(data + b * kBlockRows * stride, std::min(kBlockRows, rows - b * kBlockRows), width,
                              stride, partial.data() + b * width);
                 });
    for (int64_t j = 0; j < width; ++j) {
      double total = 0;
      for (int64_t b = 0; b < blocks; ++b) total += double(partial[size_t(b * width + j)]);
      sum[j] = T(total);
    }
  });
}

}  // namespace plumb
