// Products on the CPU. The gradient multiplies what lies before an element by what lies behind it, so that zeros need
// no special case.

#include <vector>

#include "engine/ops/reduce/prod_kernels.h"
#include "engine/ops/reduce/reduce_cpu.h"
#include "engine/ops/reduce/reduction_grad_cpu.h"

namespace plumb {
namespace {

template <class A>
struct Product {
  using Value = A;
  using State = A;

  A identity() const { return A(1); }
  A block(const A* x, int64_t n, int64_t) const {
    return fold_row(x, n, [](auto& into, const auto& value) { into *= value; });
  }
  void columns(A* products, const A* rows, int64_t stride, int64_t count, int64_t n, int64_t) const {
    std::copy(rows, rows + n, products);
    for (int64_t k = 1; k < count; ++k)
      vector_loop(n, [products, row = rows + k * stride](int64_t i) { products[i] *= row[i]; });
  }
  A combine(A earlier, A later) const { return earlier * later; }
  A finish(A product) const { return product; }
};

}  // namespace

void prod_kernel(Cpu, const Tensor& x, const ReductionLayout& layout, Tensor& out) {
  visit_dtype(AllTypes{}, x.dtype(), "prod", [&]<class T>() {
    using Out = std::conditional_t<std::is_integral_v<T>, int64_t, T>;
    reduce_on_cpu<T, Out>(Product<Acc<T>>{}, x, layout, out);
  });
}

void prod_backward_kernel(Cpu, const Tensor& grad, const Tensor& x, DimMask mask, Tensor& grad_x) {
  visit_dtype(Floats{}, x.dtype(), "prod_backward", [&]<class T>() {
    using A = Acc<T>;
    const T* g = grad.data<T>();
    reduction_grad_on_cpu<T>(x, mask, grad_x, [=](A* elements, int64_t count, int64_t output) {
      std::vector<A> behind(static_cast<size_t>(count));
      A product = load_as<A>(g[output]);
      for (int64_t i = count - 1; i >= 0; --i) {
        behind[size_t(i)] = product;
        product *= elements[i];
      }
      A before = A(1);
      for (int64_t i = 0; i < count; ++i) {
        const A element = elements[i];
        elements[i] = before * behind[size_t(i)];
        before *= element;
      }
    });
  });
}

}  // namespace plumb
