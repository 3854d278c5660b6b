// Floating products go to gemm (engine/gemm.h) matrix by matrix. Large matrices are split inside gemm, small ones are
// spread over the pool by batch; the bits are the same either way. Integers take a plain triple loop: nothing here
// depends on its speed.

#include <algorithm>

#include "engine/gemm.h"
#include "engine/loops.h"
#include "engine/ops/linalg/matmul_kernels.h"

namespace plumb {
namespace {

// Multiply-adds that make a task worth its cost, about 25 us.
constexpr int64_t kTaskWork = int64_t(1) << 21;

/// Where matrix number `index` of a broadcast batch starts in an operand.
int64_t batch_offset(const Shape& out, const Strides& strides, int64_t index) {
  int64_t offset = 0;
  for (int64_t d = out.rank() - 3; d >= 0; --d) {
    offset += index % out[d] * strides[d];
    index /= out[d];
  }
  return offset;
}

/// Strides of the operand's batch dimensions aligned to out's; the last two entries are the matrix's own.
Strides batch_strides(const Tensor& x, const Shape& out) {
  Strides strides = Dims::filled(out.rank(), 0);
  const int64_t lead = out.rank() - x.rank();
  for (int64_t d = 0; d < x.rank() - 2; ++d) strides[lead + d] = x.shape()[d] == 1 ? 0 : x.strides()[d];
  return strides;
}

template <class F>
void for_each_matrix(const Tensor& a, const Tensor& b, const Tensor& out, const GemmSize& size, F&& multiply) {
  const Strides a_strides = batch_strides(a, out.shape()), b_strides = batch_strides(b, out.shape());
  const int64_t matrix = size.m * size.n, work = matrix * size.k;
  const int64_t batch = out.numel() / matrix;
  auto run = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      multiply(batch_offset(out.shape(), a_strides, i), batch_offset(out.shape(), b_strides, i), i * matrix);
  };
  if (work >= 8 * kTaskWork)
    run(0, batch);  // gemm splits these itself
  else
    parallel_for(batch, std::max<int64_t>(1, kTaskWork / work), run);
}

template <class T>
void multiply_floats(const Tensor& a, const Tensor& b, Tensor& out, const GemmSize& size) {
  const MatrixLayout left = matrix_layout(a), right = matrix_layout(b);
  const T* a_data = a.data<T>();
  const T* b_data = b.data<T>();
  T* out_data = out.mutable_data<T>();
  for_each_matrix(a, b, out, size, [&](int64_t a_at, int64_t b_at, int64_t out_at) {
    gemm<T>(size, {a_data + a_at, left.ld, left.transposed}, {b_data + b_at, right.ld, right.transposed},
            {.data = out_data + out_at, .ld = size.n});
  });
}

template <class T>
void multiply_integers(const Tensor& a, const Tensor& b, Tensor& out, const GemmSize& size) {
  const int64_t a_row = a.strides().back(1), a_column = a.strides().back();
  const int64_t b_row = b.strides().back(1), b_column = b.strides().back();
  for_each_matrix(a, b, out, size, [&](int64_t a_at, int64_t b_at, int64_t out_at) {
    for (int64_t i = 0; i < size.m; ++i)
      for (int64_t j = 0; j < size.n; ++j) {
        uint64_t sum = 0;  // unsigned: overflow wraps, as the result does
        for (int64_t k = 0; k < size.k; ++k)
          sum += uint64_t(a.data<T>()[a_at + i * a_row + k * a_column]) *
                 uint64_t(b.data<T>()[b_at + k * b_row + j * b_column]);
        out.mutable_data<T>()[out_at + i * size.n + j] = T(sum);
      }
  });
}

}  // namespace

void matmul_kernel(Cpu, const Tensor& a, const Tensor& b, Tensor& out) {
  const GemmSize size{out.shape().back(1), out.shape().back(), a.shape().back()};
  visit_dtype(TypeList<float, double, int64_t, int32_t, uint8_t>{}, out.dtype(), "matmul", [&]<class T>() {
    if constexpr (std::is_floating_point_v<T>)
      multiply_floats<T>(a, b, out, size);
    else
      multiply_integers<T>(a, b, out, size);
  });
}

}  // namespace plumb
