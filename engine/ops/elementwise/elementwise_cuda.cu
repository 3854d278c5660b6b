// Two kernels a number of inputs: dense f32 or bf16 operands go 16 bytes at a time (flat.cuh), everything else element
// by element with types and strides looked up (walk.cuh). The arithmetic is the CPU's source, so f32 results are the
// CPU's bits. A single value (of a binary op with a number) comes as an argument, not as a tensor.

#include <initializer_list>

#include "engine/cuda/element.cuh"
#include "engine/cuda/flat.cuh"
#include "engine/cuda/walk.cuh"
#include "engine/ops/elementwise/elementwise_functions.cuh"
#include "engine/ops/elementwise/elementwise_kernels.h"

namespace plumb {
namespace {

struct UnaryFunction {
  static constexpr bool kForIntegers = true;
  UnaryOp op;
  template <class C>
  __device__ C operator()(const C (&in)[1]) const {
    return unary_function(op, in[0]);
  }
};

struct UnaryDerivative {
  static constexpr bool kForIntegers = false;
  UnaryOp op;
  template <class C>
  __device__ C operator()(const C (&in)[2]) const {
    return unary_derivative(op, in[0], in[1]);
  }
};

struct BinaryFunction {
  static constexpr bool kForIntegers = true;
  BinaryOp op;
  template <class C>
  __device__ C operator()(const C (&in)[2]) const {
    return binary_function(op, in[0], in[1]);
  }
};

struct TernaryFunction {
  static constexpr bool kForIntegers = true;
  TernaryOp op;
  template <class C>
  __device__ C operator()(const C (&in)[3]) const {
    return ternary_function(op, in[0], in[1], in[2]);
  }
};

struct SiluDerivative {
  static constexpr bool kForIntegers = false;
  template <class C>
  __device__ C operator()(const C (&in)[1]) const {
    return Silu::derivative(in[0]);
  }
};

/// A tensor, or a number where the tensor is null.
struct Operand {
  Operand(const Tensor& x) : tensor(&x) {}
  explicit Operand(double number) : value(number) {}
  const Tensor* tensor = nullptr;
  double value = 0;
};

template <class C, int N, class F>
struct Element {
  const void* data[N];
  DType dtypes[N];
  C scalars[N];
  void* out;
  DType out_dtype;
  F f;

  __device__ void operator()(const Places<N + 1>& p) const {
    C in[N];
    for (int k = 0; k < N; ++k) in[k] = data[k] ? load_element<C>(data[k], dtypes[k], p.at[k + 1]) : scalars[k];
    store_element(out, out_dtype, p.at[0], f(in));
  }
};

template <class C, int N, class F>
void run_walk(const char* op, const Cuda& cuda, const Operand (&operands)[N], Tensor& out, const F& f) {
  Element<C, N, F> element{{}, {}, {}, out.raw_mutable_data(), out.dtype(), f};
  std::array<Strides, N + 1> strides;
  strides[0] = out.strides();
  for (int k = 0; k < N; ++k) {
    const Tensor* x = operands[k].tensor;
    element.data[k] = x ? x->raw_data() : nullptr;
    element.dtypes[k] = x ? x->dtype() : out.dtype();
    element.scalars[k] = C(operands[k].value);
    strides[size_t(k) + 1] = x ? broadcast_strides(*x, out.shape()) : Dims::filled(out.rank(), 0);
  }
  walk_on_device(op, cuda, make_loop<N + 1>(out.shape(), strides), element);
}

/// `x` has out's type and its elements lie in the same order without gaps.
bool is_flat(const Tensor& x, const Tensor& out) {
  return x.dtype() == out.dtype() && x.shape() == out.shape() && is_aligned_for_packs(x.raw_data()) &&
         ((x.is_contiguous() && out.is_contiguous()) || (x.is_channels_last() && out.is_channels_last()));
}

template <class T, int N, class F>
void run_flat(const char* op, const Cuda& cuda, const Operand (&operands)[N], Tensor& out, const F& f) {
  FlatInputs<Compute<T>, N> in;
  for (int k = 0; k < N; ++k) {
    in.data[k] = operands[k].tensor ? operands[k].tensor->raw_data() : nullptr;
    in.scalar[k] = Compute<T>(operands[k].value);
  }
  launch(op, cuda, grid_for(ceil_div(out.numel(), Pack<T>::kSize)), flat_kernel<T, N, F>, in, out.mutable_data<T>(),
         out.numel(), f);
}

/// `dtype`: the one that decides what is computed in. `integers`: whether integers know the op.
template <int N, class F>
void run(const char* op, const Cuda& cuda, DType dtype, bool integers, const Operand (&operands)[N], Tensor& out,
         const F& f) {  // wide: the one place all elementwise launches go through
  bool flat = dtype == out.dtype() && (dtype == DType::f32 || dtype == DType::bf16) && is_flat(out, out);
  for (const Operand& each : operands) flat = flat && (!each.tensor || is_flat(*each.tensor, out));
  if (flat)
    return visit_dtype(TypeList<float, BFloat16>{}, dtype, op,
                       [&]<class T>() { run_flat<T>(op, cuda, operands, out, f); });
  if (!is_floating(dtype) && !integers) raise_unsupported_dtype(op, dtype);
  visit_element_type(dtype, [&]<class C>() {
    if constexpr (F::kForIntegers || !is_integer<C>) run_walk<C>(op, cuda, operands, out, f);
  });
}

}  // namespace

void unary_kernel(Cuda cuda, UnaryOp op, const Tensor& x, Tensor& out) {
  run<1>(name_of(op), cuda, x.dtype(), integers_know(op), {x}, out, UnaryFunction{op});
}

void unary_backward_kernel(Cuda cuda, UnaryOp op, const Tensor& grad, const Tensor& z, Tensor& out) {
  run<2>(backward_name_of(op), cuda, grad.dtype(), false, {grad, z}, out, UnaryDerivative{op});
}

void silu_with_derivative_kernel(Cuda cuda, const Tensor& x, Tensor& out, Tensor& derivative) {
  unary_kernel(cuda, UnaryOp::silu, x, out);
  run<1>("silu_with_derivative", cuda, x.dtype(), false, {x}, derivative, SiluDerivative{});
}

void binary_kernel(Cuda cuda, BinaryOp op, const Tensor& a, const Tensor& b, Tensor& out) {
  run<2>(name_of(op), cuda, a.dtype(), integers_know(op), {a, b}, out, BinaryFunction{op});
}

void binary_scalar_kernel(Cuda cuda, BinaryOp op, const Tensor& x, double value, bool scalar_left, Tensor& out) {
  const Operand tensor(x), number(value);
  run<2>(name_of(op), cuda, x.dtype(), integers_know(op),
         {scalar_left ? number : tensor, scalar_left ? tensor : number}, out, BinaryFunction{op});
}

void ternary_kernel(Cuda cuda, TernaryOp op, const Tensor& a, const Tensor& b, const Tensor& c, Tensor& out) {
  // b never is a condition, and of a 16-bit op it may be the f32 scalar: its type is what the op computes in.
  run<3>(name_of(op), cuda, b.dtype(), integers_know(op), {a, b, c}, out, TernaryFunction{op});
}

}  // namespace plumb
