// Optimiser updates on flat tensors: all parameters of a type lie in one arena, so one launch is a multi-tensor update.
// Learning rate, step and skip are read on the device: a captured graph replays with new values. What depends on them
// alone is computed by the first thread of each block. Same operations in the same order as the CPU (optim_rows.h).
// f32 arenas take 16 bytes a load: AdamW of a master with a 16-bit value moves 30 bytes an element, the least, with 64
// bytes in flight a thread (64 KB a multiprocessor at half occupancy; 4.3 TB/s need 23 KB).

#include "engine/cuda/element.cuh"
#include "engine/cuda/flat.cuh"
#include "engine/cuda/half.cuh"
#include "engine/cuda/sums.cuh"
#include "engine/isa/optim_kernels.h"
#include "engine/math.h"
#include "engine/ops/optim/optim_kernels.h"

namespace plumb {
namespace {

struct Control {
  const double *learning_rate, *step;
  const bool* skip;  // null: never
};

/// The tensors of an update; value and states may be null.
struct Arrays {
  void* weight;
  DType weight_dtype;
  void* value;
  DType value_dtype;
  const void* grad;
  void *state1, *state2;
  int64_t count;
};

Control control_of(const StepControl& control) {
  return {control.learning_rate.data<double>(), control.step.data<double>(),
          control.skip.defined() ? control.skip.data<bool>() : nullptr};
}

void* data_or_null(Tensor& x) { return x.defined() ? x.raw_mutable_data() : nullptr; }

Arrays arrays_of(UpdateTensors& t) {
  return {t.weight.raw_mutable_data(), t.weight.dtype(),
          data_or_null(t.value),       t.value.defined() ? t.value.dtype() : DType::f32,
          t.grad.raw_data(),           data_or_null(t.state1),
          data_or_null(t.state2),      t.weight.numel()};
}

/// What a rule reads of an element beside its states, and whether there is a first one.
template <class A>
struct Element {
  A weight, grad;
  bool has_state;
};

template <class A>
struct Adam {
  AdamOptions options;
  using Coefficients = AdamCoefficients<A>;

  __device__ Coefficients coefficients(double rate, double step) const {
    const AdamOptions& o = options;
    return {A(o.decoupled ? 1 - rate * o.weight_decay : 1),
            A(o.decoupled ? 0 : o.weight_decay),
            A(1 - o.beta1),
            A(o.beta2),
            A(1 - o.beta2),
            A(1 / math::sqrt(1 - math::pow(o.beta2, step))),
            A(o.epsilon),
            A(rate / (1 - math::pow(o.beta1, step)))};
  }
  /// The new weight.
  __device__ A operator()(const Element<A>& x, A& m, A& v, const Coefficients& c) const {
    const A w = x.weight * c.shrink;
    const A g = x.grad + c.l2 * w;
    const A first = m + c.one_minus_beta1 * (g - m);
    const A second = c.beta2 * v + c.one_minus_beta2 * g * g;
    m = first;
    v = second;
    return w - c.step_size * (first / (math::sqrt(second) * c.inverse_root_correction2 + c.epsilon));
  }
};

template <class A>
struct Sgd {
  SgdOptions options;
  using Coefficients = SgdCoefficients<A>;

  __device__ Coefficients coefficients(double rate, double step) const {
    return {A(options.weight_decay),
            A(options.momentum),
            A(step > 1 ? 1 - options.dampening : 1),
            A(rate),
            A(options.nesterov),
            A(options.nesterov ? options.momentum : 1)};
  }
  __device__ A operator()(const Element<A>& x, A& buffer, A&, const Coefficients& c) const {
    const A weight = x.weight, g = x.grad + c.l2 * weight;
    if (!x.has_state) return weight - c.learning_rate * g;
    buffer = c.momentum * buffer + c.gradient_share * g;
    return weight - c.learning_rate * (c.gradient_part * g + c.momentum_part * buffer);
  }
};

template <class A, class Rule>
__global__ void update_kernel(Arrays arrays, Control control, Rule rule) {
  __shared__ typename Rule::Coefficients shared;
  if (control.skip && *control.skip) return;
  if (threadIdx.x == 0) shared = rule.coefficients(*control.learning_rate, *control.step);
  __syncthreads();
  const typename Rule::Coefficients coefficients = shared;
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < arrays.count; i += step) {
    A *m = static_cast<A*>(arrays.state1), *v = static_cast<A*>(arrays.state2);
    A none = A(0);
    const Element<A> x{load_element<A>(arrays.weight, arrays.weight_dtype, i), static_cast<const A*>(arrays.grad)[i],
                       m != nullptr};
    const A weight = rule(x, m ? m[i] : none, v ? v[i] : none, coefficients);
    store_element(arrays.weight, arrays.weight_dtype, i, weight);
    if (arrays.value) store_element(arrays.value, arrays.value_dtype, i, weight);
  }
}

/// Half a pack of 16-bit values beside a pack of f32.
template <class V>
struct alignas(4 * sizeof(V)) Values {
  V item[4];
};

/// `from` may be null; zeros then.
__device__ inline Pack<float> load_pack(const void* from, int64_t i) {
  return from ? static_cast<const Pack<float>*>(from)[i] : Pack<float>{};
}
__device__ inline void store_pack(void* to, int64_t i, const Pack<float>& pack) {
  if (to) static_cast<Pack<float>*>(to)[i] = pack;
}

/// Weight, gradient and states in f32, the value as V. Elements from `packs` packs on are the general kernel's.
template <class V, class Rule>
__global__ void __launch_bounds__(kThreads) update_packs(Arrays arrays, Control control, Rule rule, int64_t packs) {
  __shared__ typename Rule::Coefficients shared;
  if (control.skip && *control.skip) return;
  if (threadIdx.x == 0) shared = rule.coefficients(*control.learning_rate, *control.step);
  __syncthreads();
  const typename Rule::Coefficients coefficients = shared;
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < packs; i += step) {
    Pack<float> weight = load_pack(arrays.weight, i), m = load_pack(arrays.state1, i), v = load_pack(arrays.state2, i);
    const Pack<float> grad = load_pack(arrays.grad, i);
    Values<V> value;
    PLUMB_UNROLL
    for (int k = 0; k < 4; ++k) {
      weight.item[k] =
          rule({weight.item[k], grad.item[k], arrays.state1 != nullptr}, m.item[k], v.item[k], coefficients);
      value.item[k] = from_float<V>(weight.item[k]);
    }
    store_pack(arrays.weight, i, weight);
    store_pack(arrays.state1, i, m);
    store_pack(arrays.state2, i, v);
    if (arrays.value) static_cast<Values<V>*>(arrays.value)[i] = value;
  }
}

/// Packs of 4 elements that update_packs can take.
int64_t packs_of(const Arrays& arrays) {
  for (const void* each : {static_cast<const void*>(arrays.weight), static_cast<const void*>(arrays.value), arrays.grad,
                           static_cast<const void*>(arrays.state1), static_cast<const void*>(arrays.state2)})
    if (!is_aligned_for_packs(each)) return 0;
  const bool known = !arrays.value || (is_floating(arrays.value_dtype) && arrays.value_dtype != DType::f64);
  return arrays.weight_dtype == DType::f32 && known ? arrays.count / 4 : 0;
}

void* advanced(void* data, int64_t bytes) { return data ? static_cast<char*>(data) + bytes : nullptr; }

/// The elements from `first` on.
Arrays rest_of(const Arrays& all, int64_t first, int64_t size) {
  Arrays rest = all;
  rest.weight = advanced(all.weight, first * size_of(all.weight_dtype));
  rest.value = advanced(all.value, first * size_of(all.value_dtype));
  rest.grad = static_cast<const char*>(all.grad) + first * size;
  rest.state1 = advanced(all.state1, first * size);
  rest.state2 = advanced(all.state2, first * size);
  rest.count -= first;
  return rest;
}

template <template <class> class Rule, class Options>
void update(const char* op, const Cuda& cuda, UpdateTensors& tensors, const StepControl& control,
            const Options& options) {
  visit_dtype(TypeList<float, double>{}, acc_dtype(tensors.weight.dtype()), op, [&]<class A>() {
    const Arrays all = arrays_of(tensors);
    const int64_t packs = packs_of(all);
    if (packs > 0)
      visit_dtype(TypeList<float, BFloat16, Float16>{}, all.value_dtype, op, [&]<class V>() {
        launch(op, cuda, grid_for(packs), update_packs<V, Rule<float>>, all, control_of(control), Rule<float>{options},
               packs);
      });
    const Arrays rest = rest_of(all, packs * 4, int64_t(sizeof(A)));
    if (rest.count > 0)
      launch(op, cuda, grid_for(rest.count), update_kernel<A, Rule<A>>, rest, control_of(control), Rule<A>{options});
  });
}

template <class F>
__global__ void once_kernel(F f) {
  f();
}
/// f() on one thread of the device.
template <class F>
void once(const char* op, const Cuda& cuda, const F& f) {
  launch(op, cuda, {.blocks = 1, .threads = 1}, once_kernel<F>, f);
}

struct AdvanceStep {
  double* step;
  const bool* skip;
  __device__ void operator()() const {
    if (!skip || !*skip) *step += 1;
  }
};
struct AdvanceEma {
  int64_t* step;
  double* decay;
  const bool* skip;
  EmaOptions options;
  __device__ void operator()() const {
    const bool skipped = skip && *skip;
    if (!skipped) ++*step;
    *decay = skipped ? 1 : ema_decay(*step, options);
  }
};
struct Root {
  const double* x;
  double* root;
  __device__ void operator()() const { *root = math::sqrt(*x); }
};
struct ClipFactor {
  const double* norm;
  double max_norm;
  double* factor;
  __device__ void operator()() const {
    const double share = max_norm / (*norm + 1e-6);
    *factor = share > 1 ? 1 : share;  // NaN stays NaN
  }
};
struct NotFinite {
  const double* x;
  bool* answer;
  __device__ void operator()() const { *answer = !(*x - *x == 0); }
};

struct SquareTerm {
  const void* data;
  DType dtype;
  __device__ double operator()(int64_t, int64_t i) const {
    const double value = load_element<double>(data, dtype, i);
    return value * value;
  }
};
struct AddTo {
  double* total;
  __device__ void operator()(int64_t, double sum) const { *total += sum; }
};

template <class A>
__global__ void ema_elements(const void* weight, const double* decay, void* shadow, DType dtype, int64_t count) {
  const A one_minus_decay = A(1 - *decay);
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    const A old = load_element<A>(shadow, dtype, i);
    store_element(shadow, dtype, i, old - one_minus_decay * (old - load_element<A>(weight, dtype, i)));
  }
}

template <class A>
__global__ void scale_elements(const double* factor, void* x, DType dtype, int64_t count) {
  const A scale = A(*factor);
  if (scale == A(1)) return;
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step)
    store_element(x, dtype, i, load_element<A>(x, dtype, i) * scale);
}

}  // namespace

void advance_step_kernel(Cuda cuda, StepControl& control) {
  once("advance_step", cuda, AdvanceStep{control.step.mutable_data<double>(), control_of(control).skip});
}

void adam_kernel(Cuda cuda, UpdateTensors& tensors, const StepControl& control, const AdamOptions& options) {
  update<Adam>("adam_step", cuda, tensors, control, options);
}

void sgd_kernel(Cuda cuda, UpdateTensors& tensors, const StepControl& control, const SgdOptions& options) {
  update<Sgd>("sgd_step", cuda, tensors, control, options);
}

void advance_ema_kernel(Cuda cuda, Tensor& step, Tensor& decay, const Tensor& skip, const EmaOptions& options) {
  once("advance_ema", cuda,
       AdvanceEma{step.mutable_data<int64_t>(), decay.mutable_data<double>(),
                  skip.defined() ? skip.data<bool>() : nullptr, options});
}

void ema_kernel(Cuda cuda, const Tensor& weight, const Tensor& decay, Tensor& shadow) {
  visit_dtype(TypeList<float, double>{}, acc_dtype(shadow.dtype()), "ema_step", [&]<class A>() {
    launch("ema_step", cuda, grid_for(shadow.numel()), ema_elements<A>, weight.raw_data(), decay.data<double>(),
           shadow.raw_mutable_data(), shadow.dtype(), shadow.numel());
  });
}

void add_sum_of_squares_kernel(Cuda cuda, const Tensor& x, Tensor& total) {
  sum_rows<double>("add_sum_of_squares_", cuda, x.device(), 1, x.numel(), SquareTerm{x.raw_data(), x.dtype()},
                   AddTo{total.mutable_data<double>()});
}

void root_kernel(Cuda cuda, const Tensor& x, Tensor& root) {
  once("root_of", cuda, Root{x.data<double>(), root.mutable_data<double>()});
}

void clip_factor_kernel(Cuda cuda, const Tensor& norm, double max_norm, Tensor& factor) {
  once("clip_factor", cuda, ClipFactor{norm.data<double>(), max_norm, factor.mutable_data<double>()});
}

void not_finite_kernel(Cuda cuda, const Tensor& x, Tensor& answer) {
  once("not_finite", cuda, NotFinite{x.data<double>(), answer.mutable_data<bool>()});
}

void scale_by_kernel(Cuda cuda, const Tensor& factor, Tensor& x) {
  visit_dtype(TypeList<float, double>{}, acc_dtype(x.dtype()), "scale_by_", [&]<class A>() {
    launch("scale_by_", cuda, grid_for(x.numel()), scale_elements<A>, factor.data<double>(), x.raw_mutable_data(),
           x.dtype(), x.numel());
  });
}

}  // namespace plumb
