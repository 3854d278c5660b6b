// Softmax on the CPU: parallel over lines along the dimension; softmax_rows.h has the maths of one dense line. Lines
// that are strided or need converting are copied into a buffer and back, computed in Acc<T>.

#include <algorithm>
#include <vector>

#include "engine/isa/row_tables.h"
#include "engine/loops.h"
#include "engine/ops/reduce/convert.h"
#include "engine/ops/reduce/reduce_cpu.h"
#include "engine/ops/softmax/softmax_kernels.h"

namespace plumb {
namespace {

/// Where the lines of a tensor along one dimension start, and the step along them.
struct Lines {
  Lines(const Tensor& x, int64_t dim)
      : layout(reduction_layout(x, x.rank() == 0 ? 0 : DimMask(1) << dim)), step(layout.reduced_strides[0]) {}
  int64_t start(int64_t line) const { return strided_offset(line, layout.kept, layout.kept_strides); }

  ReductionLayout layout;
  int64_t step;
};

template <class T, class A>
void store_line(const A* line, int64_t n, T* out, int64_t step) {
  for (int64_t i = 0; i < n; ++i) out[i * step] = store_as<T>(line[i]);
}

/// Calls compute(i, row, buffer) for every line of `out`: `row` is where n results go, stored afterwards where that is
/// not in `out` itself; `buffer` has room for two more lines.
template <class T, class F>
void for_each_line(Tensor& out, int64_t dim, F&& compute) {
  using A = Acc<T>;
  const Lines to(out, dim);
  const int64_t n = to.layout.count;
  T* y = out.mutable_data<T>();
  parallel_for(to.layout.outputs, std::max<int64_t>(1, kElementGrain / n), [&](int64_t begin, int64_t end) {
    std::vector<A> buffer(static_cast<size_t>(3 * n));
    A* row = buffer.data() + 2 * n;
    for (int64_t i = begin; i < end; ++i) {
      T* target = y + to.start(i);
      if constexpr (std::is_same_v<A, T>) {
        if (to.step == 1) {
          compute(i, target, buffer.data());
          continue;
        }
      }
      compute(i, row, buffer.data());
      store_line(row, n, target, to.step);
    }
  });
}

template <class T, class Row>
void run_forward(const Tensor& x, int64_t dim, Tensor& y, Row line) {
  using A = Acc<T>;
  const Lines from(x, dim);
  const int64_t n = from.layout.count;
  const T* input = x.data<T>();
  for_each_line<T>(y, dim, [&](int64_t i, A* out, A* buffer) {
    line(load_row<A>(input + from.start(i), from.step, n, buffer), n, out);
  });
}

template <class T, class Row>
void run_backward(const Tensor& grad, const Tensor& y, int64_t dim, Tensor& grad_x, Row line) {
  using A = Acc<T>;
  const Lines upstream(grad, dim), value(y, dim);
  const int64_t n = value.layout.count;
  const T *g = grad.data<T>(), *v = y.data<T>();
  for_each_line<T>(grad_x, dim, [&](int64_t i, A* out, A* buffer) {
    line(load_row<A>(g + upstream.start(i), upstream.step, n, buffer),
         load_row<A>(v + value.start(i), value.step, n, buffer + n), n, out);
  });
}

}  // namespace

void softmax_kernel(Cpu, const Tensor& x, int64_t dim, Tensor& y) {
  visit_dtype(Floats{}, x.dtype(), "softmax",
              [&]<class T>() { run_forward<T>(x, dim, y, softmax_rows<Acc<T>>().softmax); });
}

void log_softmax_kernel(Cpu, const Tensor& x, int64_t dim, Tensor& y) {
  visit_dtype(Floats{}, x.dtype(), "log_softmax",
              [&]<class T>() { run_forward<T>(x, dim, y, softmax_rows<Acc<T>>().log_softmax); });
}

void softmax_backward_kernel(Cpu, const Tensor& grad, const Tensor& y, int64_t dim, Tensor& grad_x) {
  visit_dtype(Floats{}, y.dtype(), "softmax_backward",
              [&]<class T>() { run_backward<T>(grad, y, dim, grad_x, softmax_rows<Acc<T>>().softmax_grad); });
}

void log_softmax_backward_kernel(Cpu, const Tensor& grad, const Tensor& y, int64_t dim, Tensor& grad_x) {
  visit_dtype(Floats{}, y.dtype(), "log_softmax_backward",
              [&]<class T>() { run_backward<T>(grad, y, dim, grad_x, softmax_rows<Acc<T>>().log_softmax_grad); });
}

}  // namespace plumb
