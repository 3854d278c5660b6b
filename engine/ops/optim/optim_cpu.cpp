// Chunks of a flat tensor, one after the other through the row functions. 16-bit weights without a master, and shadows
// of them, go through a small f32 buffer. Sums of squares are kept a chunk at a time and added in chunk order.

#include <cmath>
#include <vector>

#include "engine/isa/kernels.h"
#include "engine/isa/optim_rows.h"
#include "engine/loops.h"
#include "engine/ops/optim/optim_kernels.h"

namespace plumb {
namespace {

// Floats run in the processor's instruction set, doubles (there for checks) in the portable one.
template <class T, class... Args>
auto run(auto OptimKernels::*vectorised, auto portable_row, Args... args) {
  if constexpr (std::is_same_v<T, float>)
    return (kernels().optim.*vectorised)(args...);
  else
    return portable_row(args...);
}

double number(const Tensor& scalar) { return *scalar.data<double>(); }
bool is_skipped(const StepControl& control) { return control.skip.defined() && *control.skip.data<bool>(); }

/// Calls row(elements as their compute type, first index, count) over x and stores back what row changed.
template <class T, class F>
void through_compute_type(T* x, int64_t begin, int64_t end, F&& row) {
  using A = Compute<T>;
  if constexpr (std::is_same_v<T, A>) {
    row(x + begin, begin, end - begin);
  } else {
    constexpr int64_t kBlock = 1024;
    A buffer[kBlock];
    for (int64_t start = begin; start < end; start += kBlock) {
      const int64_t count = end - start < kBlock ? end - start : kBlock;
      for (int64_t i = 0; i < count; ++i) buffer[i] = A(x[start + i]);
      row(buffer, start, count);
      for (int64_t i = 0; i < count; ++i) x[start + i] = T(buffer[i]);
    }
  }
}

/// Runs `row` over the weights in parallel and rounds masters to the values they belong to.
template <class F>
void update_weights(UpdateTensors& tensors, F&& row) {
  Tensor& weight = tensors.weight;
  visit_dtype(Floats{}, weight.dtype(), "optimiser step", [&]<class T>() {
    T* weights = weight.mutable_data<T>();
    parallel_for(weight.numel(), kElementGrain, [&](int64_t begin, int64_t end) {
      through_compute_type(weights, begin, end, row);
      if constexpr (std::is_same_v<T, float>) {
        if (!tensors.value.defined()) return;
        visit_dtype(TypeList<BFloat16, Float16>{}, tensors.value.dtype(), "optimiser step", [&]<class Half>() {
          Half* values = tensors.value.mutable_data<Half>();
          for (int64_t i = begin; i < end; ++i) values[i] = Half(weights[i]);
        });
      }
    });
  });
}

template <class T>
AdamCoefficients<T> adam_coefficients(const StepControl& control, const AdamOptions& options) {
  const double rate = number(control.learning_rate), step = number(control.step);
  return {
      .shrink = T(options.decoupled ? 1 - rate * options.weight_decay : 1),
      .l2 = T(options.decoupled ? 0 : options.weight_decay),
      .one_minus_beta1 = T(1 - options.beta1),
      .beta2 = T(options.beta2),
      .one_minus_beta2 = T(1 - options.beta2),
      .inverse_root_correction2 = T(1 / std::sqrt(1 - std::pow(options.beta2, step))),
      .epsilon = T(options.epsilon),
      .step_size = T(rate / (1 - std::pow(options.beta1, step))),
  };
}

template <class T>
SgdCoefficients<T> sgd_coefficients(const StepControl& control, const SgdOptions& options) {
  return {
      .l2 = T(options.weight_decay),
      .momentum = T(options.momentum),
      .gradient_share = T(number(control.step) > 1 ? 1 - options.dampening : 1),
      .learning_rate = T(number(control.learning_rate)),
      .gradient_part = T(options.nesterov ? 1 : 0),
      .momentum_part = T(options.nesterov ? options.momentum : 1),
  };
}

}  // namespace

void advance_step_kernel(Cpu, StepControl& control) {
  if (!is_skipped(control)) *control.step.mutable_data<double>() += 1;
}

void advance_ema_kernel(Cpu, Tensor& step, Tensor& decay, const Tensor& skip, const EmaOptions& options) {
  const bool skipped = skip.defined() && *skip.data<bool>();
  int64_t& count = *step.mutable_data<int64_t>();
  if (!skipped) ++count;
  *decay.mutable_data<double>() = skipped ? 1 : ema_decay(count, options);
}

void adam_kernel(Cpu, UpdateTensors& tensors, const StepControl& control, const AdamOptions& options) {
  if (is_skipped(control)) return;
  update_weights(tensors, [&]<class A>(A* weights, int64_t begin, int64_t count) {
    run<A>(&OptimKernels::adam, portable::adam_row<A>, weights, tensors.grad.data<A>() + begin,
           tensors.state1.mutable_data<A>() + begin, tensors.state2.mutable_data<A>() + begin, count,
           adam_coefficients<A>(control, options));
  });
}

void sgd_kernel(Cpu, UpdateTensors& tensors, const StepControl& control, const SgdOptions& options) {
  if (is_skipped(control)) return;
  update_weights(tensors, [&]<class A>(A* weights, int64_t begin, int64_t count) {
    const SgdCoefficients<A> coefficients = sgd_coefficients<A>(control, options);
    const A* grad = tensors.grad.data<A>() + begin;
    if (tensors.state1.defined())
      run<A>(&OptimKernels::sgd_momentum, portable::sgd_momentum_row<A>, weights, grad,
             tensors.state1.mutable_data<A>() + begin, count, coefficients);
    else
      run<A>(&OptimKernels::sgd, portable::sgd_row<A>, weights, grad, count, coefficients);
  });
}

void ema_kernel(Cpu, const Tensor& weight, const Tensor& decay, Tensor& shadow) {
  visit_dtype(Floats{}, shadow.dtype(), "ema_step", [&]<class T>() {
    using A = Compute<T>;
    const A one_minus_decay = A(1 - number(decay));
    const T* from = weight.data<T>();
    T* to = shadow.mutable_data<T>();
    parallel_for(shadow.numel(), kElementGrain, [&](int64_t begin, int64_t end) {
      through_compute_type(to, begin, end, [&](A* shadows, int64_t first, int64_t count) {
        if constexpr (std::is_same_v<T, A>) {
          run<A>(&OptimKernels::ema, portable::ema_row<A>, shadows, from + first, count, one_minus_decay);
        } else {
          for (int64_t i = 0; i < count; ++i) shadows[i] -= one_minus_decay * (shadows[i] - A(from[first + i]));
        }
      });
    });
  });
}

void add_sum_of_squares_kernel(Cpu, const Tensor& x, Tensor& total) {
  std::vector<double> partial(size_t((x.numel() + kElementGrain - 1) / kElementGrain));
  visit_dtype(Floats{}, x.dtype(), "add_sum_of_squares_", [&]<class T>() {
    const T* values = x.data<T>();
    parallel_for(x.numel(), kElementGrain, [&](int64_t begin, int64_t end) {
      double& sum = partial[size_t(begin / kElementGrain)];
      if constexpr (is_half<T>) {
        for (int64_t i = begin; i < end; ++i) sum += double(float(values[i])) * double(float(values[i]));
      } else {
        sum = run<T>(&OptimKernels::sum_of_squares, portable::sum_of_squares_row<T>, values + begin, end - begin);
      }
    });
  });
  for (double sum : partial) *total.mutable_data<double>() += sum;
}

void root_kernel(Cpu, const Tensor& x, Tensor& root) { *root.mutable_data<double>() = std::sqrt(number(x)); }

void clip_factor_kernel(Cpu, const Tensor& norm, double max_norm, Tensor& factor) {
  const double share = max_norm / (number(norm) + 1e-6);
  // Written so that NaN stays NaN.
  *factor.mutable_data<double>() = share > 1 ? 1 : share;
}

void not_finite_kernel(Cpu, const Tensor& x, Tensor& answer) {
  *answer.mutable_data<bool>() = !std::isfinite(number(x));
}

void scale_by_kernel(Cpu, const Tensor& factor, Tensor& x) {
  if (number(factor) == 1) return;  // gradients within the limit: the usual case of clipping
  visit_dtype(Floats{}, x.dtype(), "scale_by_", [&]<class T>() {
    using A = Compute<T>;
    const A scale = A(number(factor));
    T* values = x.mutable_data<T>();
    parallel_for(x.numel(), kElementGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) values[i] = T(A(values[i]) * scale);
    });
  });
}

}  // namespace plumb
