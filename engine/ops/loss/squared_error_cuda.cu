// Squared errors: sums over rows with a fixed order (sums.cuh), and element by element.

#include "engine/cuda/element.cuh"
#include "engine/cuda/sums.cuh"
#include "engine/ops/loss/squared_error_kernels.h"

namespace plumb {
namespace {

/// Up to three operands of one type, and what a row holds.
struct Operands {
  const void *pred, *ref, *target;
  DType dtype;
  int64_t count;
};

template <class A>
struct ErrorTerm {
  Operands x;
  __device__ A operator()(int64_t row, int64_t i) const {
    const int64_t at = row * x.count + i;
    const A difference = load_element<A>(x.pred, x.dtype, at) - load_element<A>(x.target, x.dtype, at);
    return difference * difference;
  }
};

template <class A>
struct GainTerm {
  Operands x;
  __device__ A operator()(int64_t row, int64_t i) const {
    const int64_t at = row * x.count + i;
    const A pred = load_element<A>(x.pred, x.dtype, at), ref = load_element<A>(x.ref, x.dtype, at);
    const A change = pred - ref, error = ref - load_element<A>(x.target, x.dtype, at);
    return change * (change + A(2) * error);
  }
};

template <class A>
struct StoreError {
  A* out;
  A divisor;
  __device__ void operator()(int64_t row, A sum) const { out[row] = sum / divisor; }
};

/// Gradients of pred and target, negatives of each other, where not null.
struct Gradients {
  void *pred, *target;
  DType dtype;
  template <class A>
  __device__ void set(int64_t i, A value) const {
    if (pred) store_element(pred, dtype, i, value);
    if (target) store_element(target, dtype, i, -value);
  }
};

template <class A>
__global__ void error_backward(const A* grad, Operands x, A divisor, int64_t total, Gradients out) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < total; i += step) {
    const A factor = A(2) * grad[i / x.count] / divisor;
    out.set(i, factor * (load_element<A>(x.pred, x.dtype, i) - load_element<A>(x.target, x.dtype, i)));
  }
}

/// out = (pred - target)^2, or with a gradient an element, out = 2 grad (pred - target).
template <class A>
__global__ void difference(const void* grad, Operands x, int64_t total, Gradients out) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < total; i += step) {
    const A apart = load_element<A>(x.pred, x.dtype, i) - load_element<A>(x.target, x.dtype, i);
    out.set(i, grad ? A(2) * load_element<A>(grad, x.dtype, i) * apart : apart * apart);
  }
}

void* data_or_null(Tensor& x) { return x.defined() ? x.raw_mutable_data() : nullptr; }

template <class F>
void visit(const Tensor& pred, const char* op, F&& f) {
  visit_dtype(TypeList<float, double>{}, acc_dtype(pred.dtype()), op, f);
}

}  // namespace

void squared_error_kernel(Cuda cuda, const Tensor& pred, const Tensor& target, int64_t rows, double divisor,
                          Tensor& out) {
  if (rows == 0) return;
  const int64_t count = pred.numel() / rows;
  visit(pred, "mse", [&]<class A>() {
    sum_rows<A>("mse", cuda, pred.device(), rows, count,
                ErrorTerm<A>{{pred.raw_data(), nullptr, target.raw_data(), pred.dtype(), count}},
                StoreError<A>{out.mutable_data<A>(), A(divisor)});
  });
}

void error_gain_kernel(Cuda cuda, const Tensor& pred, const Tensor& ref, const Tensor& target, double divisor,
                       Tensor& out) {
  const int64_t rows = out.numel();
  if (rows == 0) return;
  const int64_t count = pred.numel() / rows;
  visit(pred, "error_gain", [&]<class A>() {
    sum_rows<A>("error_gain", cuda, pred.device(), rows, count,
                GainTerm<A>{{pred.raw_data(), ref.raw_data(), target.raw_data(), pred.dtype(), count}},
                StoreError<A>{out.mutable_data<A>(), A(divisor)});
  });
}

// wide: as the CPU has it
void squared_error_backward_kernel(Cuda cuda, const Tensor& grad, const Tensor& pred, const Tensor& target,
                                   double divisor, Tensor& grad_pred, Tensor& grad_target) {
  if (pred.numel() == 0) return;
  const Operands x{pred.raw_data(), nullptr, target.raw_data(), pred.dtype(), pred.numel() / grad.numel()};
  const Gradients out{data_or_null(grad_pred), data_or_null(grad_target), pred.dtype()};
  visit(pred, "mse_backward", [&]<class A>() {
    launch("mse_backward", cuda, grid_for(pred.numel()), error_backward<A>, grad.data<A>(), x, A(divisor), pred.numel(),
           out);
  });
}

void squared_difference_kernel(Cuda cuda, const Tensor& pred, const Tensor& target, Tensor& out) {
  if (pred.numel() == 0) return;
  const Operands x{pred.raw_data(), nullptr, target.raw_data(), pred.dtype(), 1};
  visit(pred, "mse", [&]<class A>() {
    launch("mse", cuda, grid_for(pred.numel()), difference<A>, nullptr, x, pred.numel(),
           Gradients{out.raw_mutable_data(), nullptr, out.dtype()});
  });
}

void squared_difference_backward_kernel(Cuda cuda, const Tensor& grad, const Tensor& pred, const Tensor& target,
                                        Tensor& grad_pred, Tensor& grad_target) {
  if (pred.numel() == 0) return;
  const Operands x{pred.raw_data(), nullptr, target.raw_data(), pred.dtype(), 1};
  const Gradients out{data_or_null(grad_pred), data_or_null(grad_target), pred.dtype()};
  visit(pred, "mse_backward", [&]<class A>() {
    launch("mse_backward", cuda, grid_for(pred.numel()), difference<A>, grad.raw_data(), x, pred.numel(), out);
  });
}

}  // namespace plumb
