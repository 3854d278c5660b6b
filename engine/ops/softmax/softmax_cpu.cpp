// Softmax on the CPU: parallel over lines; a line is read for its maximum, again for the exponentials and their sum
// (pairwise, in Acc<T>), and scaled. Lines that are strided or need converting are copied into a buffer and back.

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/loops.h"
#include "engine/ops/reduce/block_kernels.h"
#include "engine/ops/reduce/convert.h"
#include "engine/ops/reduce/reduce_cpu.h"
#include "engine/ops/softmax/softmax_kernels.h"

namespace plumb {
namespace {

template <class A>
A line_sum(const A* x, int64_t n) {
  return pairwise_sum<A>(n, [x](auto& into, int64_t i) { read<A>(into, x + i); });
}

template <class A>
A line_dot(const A* x, const A* y, int64_t n) {
  return pairwise_sum<A>(n, [x, y](auto& into, int64_t i) {
    std::remove_reference_t<decltype(into)> other;
    read<A>(into, x + i);
    read<A>(other, y + i);
    into *= other;
  });
}

/// Largest element; which one it returns when there is a NaN does not matter here, the sum carries it.
template <class A>
A line_max(const A* x, int64_t n) {
  return fold_lanes(x, n, [](auto& into, const auto& value) { into = value > into ? value : into; });
}

template <class A>
void softmax_line(const A* x, int64_t n, A* y) {
  const A largest = line_max(x, n);
  for (int64_t i = 0; i < n; ++i) y[i] = std::exp(x[i] - largest);
  const A scale = A(1) / line_sum(y, n);
  for (int64_t i = 0; i < n; ++i) y[i] *= scale;
}

template <class A>
void log_softmax_line(const A* x, int64_t n, A* y) {
  const A largest = line_max(x, n);
  for (int64_t i = 0; i < n; ++i) y[i] = std::exp(x[i] - largest);
  const A log_sum = std::log(line_sum(y, n));
  for (int64_t i = 0; i < n; ++i) y[i] = (x[i] - largest) - log_sum;
}

template <class A>
void softmax_grad_line(const A* g, const A* y, int64_t n, A* out) {
  const A dot = line_dot(g, y, n);
  for (int64_t i = 0; i < n; ++i) out[i] = y[i] * (g[i] - dot);
}

template <class A>
void log_softmax_grad_line(const A* g, const A* y, int64_t n, A* out) {
  const A total = line_sum(g, n);
  for (int64_t i = 0; i < n; ++i) out[i] = g[i] - std::exp(y[i]) * total;
}

/// Where the lines of a tensor along one dimension start, and the step along them.
struct Lines {
  Lines(const Tensor& x, int64_t dim)
      : layout(reduction_layout(x, DimMask(1) << dim)), step(x.rank() == 0 ? 1 : x.strides()[dim]) {}
  int64_t start(int64_t line) const { return strided_offset(line, layout.kept, layout.kept_strides); }

  ReductionLayout layout;
  int64_t step;
};

template <class T, class A>
void store_line(const A* line, int64_t n, T* out, int64_t step) {
  for (int64_t i = 0; i < n; ++i) out[i * step] = store_as<T>(line[i]);
}

/// Calls line(inputs…, n, output) for every line of tensors of one shape.
template <class T, class Line>
void for_each_line(const Tensor& a, const Tensor& b, int64_t dim, Tensor& out, Line line) {
  using A = Acc<T>;
  const Lines from(a, dim), other(b, dim), to(out, dim);
  const int64_t n = from.layout.count;
  const T *x = a.data<T>(), *z = b.data<T>();
  T* y = out.mutable_data<T>();
  parallel_for(from.layout.outputs, std::max<int64_t>(1, kElementGrain / n), [&](int64_t begin, int64_t end) {
    const bool direct = std::is_same_v<A, T> && from.step == 1 && other.step == 1 && to.step == 1;
    std::vector<A> buffer(direct ? size_t(0) : size_t(3 * n));
    for (int64_t i = begin; i < end; ++i) {
      const A* first = load_row<A>(x + from.start(i), from.step, n, buffer.data());
      const A* second = load_row<A>(z + other.start(i), other.step, n, buffer.data() + n);
      T* target = y + to.start(i);
      if constexpr (std::is_same_v<A, T>) {
        if (to.step == 1) {
          line(first, second, n, target);
          continue;
        }
      }
      line(first, second, n, buffer.data() + 2 * n);
      store_line(buffer.data() + 2 * n, n, target, to.step);
    }
  });
}

}  // namespace

void softmax_kernel(Cpu, const Tensor& x, int64_t dim, Tensor& y) {
  visit_dtype(Floats{}, x.dtype(), "softmax", [&]<class T>() {
    for_each_line<T>(x, x, dim, y,
                     [](const auto* line, const auto*, int64_t n, auto* out) { softmax_line(line, n, out); });
  });
}

void log_softmax_kernel(Cpu, const Tensor& x, int64_t dim, Tensor& y) {
  visit_dtype(Floats{}, x.dtype(), "log_softmax", [&]<class T>() {
    for_each_line<T>(x, x, dim, y,
                     [](const auto* line, const auto*, int64_t n, auto* out) { log_softmax_line(line, n, out); });
  });
}

void softmax_backward_kernel(Cpu, const Tensor& grad, const Tensor& y, int64_t dim, Tensor& grad_x) {
  visit_dtype(Floats{}, y.dtype(), "softmax_backward", [&]<class T>() {
    for_each_line<T>(grad, y, dim, grad_x,
                     [](const auto* g, const auto* line, int64_t n, auto* out) { softmax_grad_line(g, line, n, out); });
  });
}

void log_softmax_backward_kernel(Cpu, const Tensor& grad, const Tensor& y, int64_t dim, Tensor& grad_x) {
  visit_dtype(Floats{}, y.dtype(), "log_softmax_backward", [&]<class T>() {
    for_each_line<T>(grad, y, dim, grad_x, [](const auto* g, const auto* line, int64_t n, auto* out) {
      log_softmax_grad_line(g, line, n, out);
    });
  });
}

}  // namespace plumb
