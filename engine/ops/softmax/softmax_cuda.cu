// One block a line along the dimension, which it reads three times (twice from the cache): greatest element, sum of
// exponentials, result; all in Acc<T>. Lines of any stride, elements of any type (element.cuh).

#include "engine/cuda/element.cuh"
#include "engine/cuda/sums.cuh"
#include "engine/cuda/walk.cuh"
#include "engine/math.h"
#include "engine/ops/reduce/reduction_layout.h"
#include "engine/ops/softmax/softmax_kernels.h"

namespace plumb {
namespace {

/// The lines of a tensor along one dimension.
struct Lines {
  void* data;
  DType dtype;
  Walk<1> starts;
  int64_t step;
  int64_t count;  // elements of a line
};

Lines lines_of(const Tensor& x, int64_t dim) {
  const ReductionLayout layout = reduction_layout(x, x.rank() == 0 ? 0 : DimMask(1) << dim);
  const StridedLoop<1> starts{layout.kept, {layout.kept_strides}};
  return {const_cast<void*>(x.raw_data()), x.dtype(), walk_of(starts), layout.reduced_strides[0], layout.count};
}

int64_t count_of(const Tensor& x, const Lines& lines) { return x.numel() / lines.count; }

/// This block's line.
template <class A>
struct Line {
  const Lines& lines;
  int64_t start;
  __device__ explicit Line(const Lines& of) : lines(of), start(places_of(of.starts, blockIdx.x).at[0]) {}
  __device__ A operator[](int64_t i) const { return load_element<A>(lines.data, lines.dtype, start + i * lines.step); }
  __device__ void set(int64_t i, A value) const {
    store_element(lines.data, lines.dtype, start + i * lines.step, value);
  }
};

template <class A>
__global__ void softmax_forward(Lines from, Lines to, bool log) {
  const Line<A> x(from), y(to);
  const int64_t n = from.count;
  A largest = x[0];
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) {
    const A value = x[i];
    largest = value > largest ? value : largest;
  }
  largest = block_max(largest);
  A total = A(0);
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) total += math::exp(x[i] - largest);
  total = block_sum(total);
  const A log_total = math::log(total), scale = A(1) / total;
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x)
    y.set(i, log ? (x[i] - largest) - log_total : math::exp(x[i] - largest) * scale);
}

template <class A>
__global__ void softmax_backward(Lines upstream, Lines value, Lines to, bool log) {
  const Line<A> grad(upstream), y(value), grad_x(to);
  const int64_t n = value.count;
  A sum = A(0);
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) sum += log ? grad[i] : grad[i] * y[i];
  sum = block_sum(sum);
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x)
    grad_x.set(i, log ? grad[i] - math::exp(y[i]) * sum : y[i] * (grad[i] - sum));
}

void forward(const char* op, const Cuda& cuda, const Tensor& x, int64_t dim, Tensor& y, bool log) {
  const Lines from = lines_of(x, dim), to = lines_of(y, dim);
  visit_dtype(TypeList<float, double>{}, acc_dtype(x.dtype()), op, [&]<class A>() {
    launch(op, cuda, {.blocks = count_of(x, from), .threads = threads_for(from.count)}, softmax_forward<A>, from, to,
           log);
  });
}

// wide: two tensors in, one out
void backward(const char* op, const Cuda& cuda, const Tensor& grad, const Tensor& y, int64_t dim, Tensor& grad_x,
              bool log) {
  const Lines upstream = lines_of(grad, dim), value = lines_of(y, dim), to = lines_of(grad_x, dim);
  visit_dtype(TypeList<float, double>{}, acc_dtype(y.dtype()), op, [&]<class A>() {
    launch(op, cuda, {.blocks = count_of(y, value), .threads = threads_for(value.count)}, softmax_backward<A>, upstream,
           value, to, log);
  });
}

}  // namespace

void softmax_kernel(Cuda cuda, const Tensor& x, int64_t dim, Tensor& y) { forward("softmax", cuda, x, dim, y, false); }
void log_softmax_kernel(Cuda cuda, const Tensor& x, int64_t dim, Tensor& y) {
  forward("log_softmax", cuda, x, dim, y, true);
}
void softmax_backward_kernel(Cuda cuda, const Tensor& grad, const Tensor& y, int64_t dim, Tensor& grad_x) {
  backward("softmax_backward", cuda, grad, y, dim, grad_x, false);
}
void log_softmax_backward_kernel(Cuda cuda, const Tensor& grad, const Tensor& y, int64_t dim, Tensor& grad_x) {
  backward("log_softmax_backward", cuda, grad, y, dim, grad_x, true);
}

}  // namespace plumb
