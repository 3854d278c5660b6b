// The product is gemm (engine/gemm.h), bias included. Column sums: blocks of kBlockRows rows are summed in
// the element type, then the blocks in double, in order, which keeps long sums accurate at the cost of a short one.

#include <algorithm>
#include <type_traits>

#include "engine/ceil_div.h"
#include "engine/gemm.h"
#include "engine/isa/kernels.h"
#include "engine/loops.h"
#include "engine/ops/linalg/linear_kernels.h"
#include "engine/ops/linalg/linear_rows.h"
#include "engine/ops/linalg/matmul_kernels.h"
#include "engine/packed_cache.h"

namespace plumb {
namespace {

constexpr int64_t kBlockRows = 128;
// Packing the weight costs as much as 12 rows of the product: above this many it is less than a twentieth of it, and
// not worth keeping a copy of the weight.
constexpr int64_t kCachedRows = 256;

using namespace PLUMB_ISA;

template <class T>
void scale_and_sum(const T* grad, const T* factor, int64_t count, int64_t width, T* out, T* sum) {
  if constexpr (std::is_same_v<T, float>)
    kernels().gemm.scale_and_sum_rows(grad, factor, count, width, out, sum);
  else
    scale_and_sum_rows(grad, factor, count, width, out, sum);
}

/// total = the sum over blocks of kBlockRows rows of what block(first row, rows, sum) puts into sum.
template <class T, class F>
void sum_blocks(int64_t rows, int64_t width, T* total, F&& block) {
  if (rows <= kBlockRows) return block(int64_t(0), rows, total);
  const int64_t blocks = ceil_div(rows, kBlockRows);
  Tensor partial = empty({blocks, width}, dtype_of<T>);
  T* sums = partial.mutable_data<T>();
  parallel_for(blocks, std::max<int64_t>(1, 4 * kElementGrain / (kBlockRows * width)), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b)
      block(b * kBlockRows, std::min(kBlockRows, rows - b * kBlockRows), sums + b * width);
  });
  for (int64_t j = 0; j < width; ++j) {
    double sum = 0;
    for (int64_t b = 0; b < blocks; ++b) sum += double(sums[b * width + j]);
    total[j] = T(sum);
  }
}

}  // namespace

void linear_kernel(Cpu, const LinearOperands& in, const LinearEpilogue& epilogue, Tensor& out) {
  const MatrixLayout input = matrix_layout(in.x), matrix = matrix_layout(in.weight);
  const GemmSize size{out.shape()[0], out.shape()[1], in.x.shape()[1]};
  visit_dtype(TypeList<float, double>{}, out.dtype(), "linear", [&]<class T>() {
    const MatrixView<T> a{in.x.data<T>(), input.ld, input.transposed};
    const MatrixView<T> b{in.weight.data<T>(), matrix.ld, !matrix.transposed};
    const GemmTarget<T> c{.data = out.mutable_data<T>(),
                          .ld = size.n,
                          .bias = in.bias.defined() ? in.bias.data<T>() : nullptr,
                          .activation = epilogue.activation,
                          .derivative = epilogue.derivative ? epilogue.derivative->mutable_data<T>() : nullptr};
    if constexpr (std::is_same_v<T, float>)
      if (size.m <= kCachedRows && b.transposed && gemm_packs(size))
        if (const PackedMatrix packed = packed_weight(in.weight, b, size.k, size.n); packed.defined())
          return gemm(size.m, a, packed, c);
    gemm<T>(size, a, b, c);
  });
}

void column_sum_kernel(Cpu, const Tensor& grad, Tensor& out) {
  const int64_t width = grad.shape()[1], stride = grad.strides()[0];
  visit_dtype(TypeList<float, double>{}, grad.dtype(), "linear", [&]<class T>() {
    const T* data = grad.data<T>();
    sum_blocks(grad.shape()[0], width, out.mutable_data<T>(),
               [&](int64_t first, int64_t rows, T* sum) { sum_rows(data + first * stride, rows, width, stride, sum); });
  });
}

void scale_and_column_sum_kernel(Cpu, const Tensor& grad, const Tensor& factor, Tensor& out, Tensor& sum) {
  const int64_t width = grad.shape().back();
  visit_dtype(TypeList<float, double>{}, grad.dtype(), "linear", [&]<class T>() {
    const T *data = grad.data<T>(), *factors = factor.data<T>();
    T* to = out.mutable_data<T>();
    sum_blocks(grad.numel() / width, width, sum.mutable_data<T>(), [&](int64_t first, int64_t rows, T* part) {
      const int64_t at = first * width;
      scale_and_sum(data + at, factors + at, rows, width, to + at, part);
    });
  });
}

}  // namespace plumb
