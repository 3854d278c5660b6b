// Dense lines of up to 1024 packs are held in registers (row_packs.cuh): one read, one write, the least. Any others:
// one block a line along the dimension, which it reads three times (twice from the cache): greatest element, sum of
// exponentials, result; all in Acc<T>. Lines of any stride, elements of any type (element.cuh).

#include "engine/cuda/element.cuh"
#include "engine/cuda/fast_math.cuh"
#include "engine/cuda/row_packs.cuh"
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

/// exp for results that are stored as T.
template <class T>
__device__ inline float exp_for(float x) {
  if constexpr (is_half<T>)
    return fast_exp(x);
  else
    return math::exp(x);
}

template <class T, int kRowThreads, int kHeld>
__global__ void __launch_bounds__(kThreads)
    softmax_forward_packs(const T* from, T* to, int64_t rows, int width, bool log) {
  using Row = RowPacks<T, kRowThreads, kHeld>;
  const int64_t row = Row::row();
  if (row >= rows) return;
  const int packs = width / Row::kSize;
  Row x;
  x.load(from + row * width, packs, -math::kInfinity);
  float largest = x.values[0][0], total = 0;  // a NaN there stays: every comparison with it is false
  x.each([&](float value, int, int) { largest = value > largest ? value : largest; });
  largest = Row::max(largest);
  if (log) {
    x.each([&](float& value, int i, int) {
      value -= largest;
      if (Row::has(i, packs)) total += math::exp(value);
    });
    const float log_total = math::log(Row::sum(total));
    x.each([&](float& value, int, int) { value -= log_total; });
  } else {
    x.each([&](float& value, int i, int) {
      value = exp_for<T>(value - largest);
      if (Row::has(i, packs)) total += value;
    });
    const float scale = 1.0f / Row::sum(total);
    x.each([&](float& value, int, int) { value *= scale; });
  }
  x.store(to + row * width, packs);
}

template <class T, int kRowThreads, int kHeld>
__global__ void __launch_bounds__(kThreads)
    softmax_backward_packs(const T* upstream, const T* value, T* to, int64_t rows, int width, bool log) {
  // wide: two tensors in, one out
  using Row = RowPacks<T, kRowThreads, kHeld>;
  const int64_t row = Row::row();
  if (row >= rows) return;
  const int packs = width / Row::kSize;
  Row grad, y;
  grad.load(upstream + row * width, packs, 0.0f);
  y.load(value + row * width, packs, 0.0f);
  float sum = 0;
  grad.each([&](float g, int i, int k) { sum += log ? g : g * y.values[i][k]; });
  sum = Row::sum(sum);
  grad.each(
      [&](float& g, int i, int k) { g = log ? g - exp_for<T>(y.values[i][k]) * sum : y.values[i][k] * (g - sum); });
  grad.store(to + row * width, packs);
}

bool fits(const Tensor& x, int64_t dim, std::initializer_list<const Tensor*> others) {
  if (x.rank() == 0 || dim != x.rank() - 1) return false;
  for (const Tensor* each : others)
    if (!each->is_contiguous() || each->dtype() != x.dtype() ||
        !fits_rows(x.dtype(), x.shape().back(), {each->raw_data()}))
      return false;
  return true;
}

void forward(const char* op, const Cuda& cuda, const Tensor& x, int64_t dim, Tensor& y, bool log) {
  if (fits(x, dim, {&x, &y}))
    return visit_rows(x.dtype(), x.numel() / x.shape().back(), x.shape().back(),
                      [&]<class T, int kRowThreads, int kHeld>(const Grid& grid) {
                        const int width = int(x.shape().back());
                        launch(op, cuda, grid, softmax_forward_packs<T, kRowThreads, kHeld>, x.data<T>(),
                               y.mutable_data<T>(), x.numel() / width, width, log);
                      });
  const Lines from = lines_of(x, dim), to = lines_of(y, dim);
  visit_dtype(TypeList<float, double>{}, acc_dtype(x.dtype()), op, [&]<class A>() {
    launch(op, cuda, {.blocks = count_of(x, from), .threads = threads_for(from.count)}, softmax_forward<A>, from, to,
           log);
  });
}

// wide: two tensors in, one out
void backward(const char* op, const Cuda& cuda, const Tensor& grad, const Tensor& y, int64_t dim, Tensor& grad_x,
              bool log) {
  if (fits(y, dim, {&grad, &y, &grad_x}))
    return visit_rows(y.dtype(), y.numel() / y.shape().back(), y.shape().back(),
                      [&]<class T, int kRowThreads, int kHeld>(const Grid& grid) {
                        const int width = int(y.shape().back());
                        launch(op, cuda, grid, softmax_backward_packs<T, kRowThreads, kHeld>, grad.data<T>(),
                               y.data<T>(), grad_x.mutable_data<T>(), y.numel() / width, width, log);
                      });
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
