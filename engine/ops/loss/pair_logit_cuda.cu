// Forward: a block takes a pair and reads its samples once for all four results; sums in Acc<T> with a fixed order.
// Latents are small (32 pairs of 64 x 64 x 4 are 4 MB a tensor in f32): what counts is the number of launches, one.
// Backward: one thread an element.

#include "engine/cuda/element.cuh"
#include "engine/cuda/sums.cuh"
#include "engine/ops/loss/pair_logit_kernels.h"

namespace plumb {
namespace {

constexpr int kMostThreads = 512;

template <class A>
struct Pairs {
  const void *pred, *ref, *target;
  DType dtype;
  int64_t pairs, count;  // count: elements of a sample
  A divisor, factor;
};

template <class A>
struct Results {
  A *logit, *gain, *error, *ref_error;
};

template <class A>
__global__ void __launch_bounds__(kMostThreads) pair_forward(Pairs<A> x, Results<A> out) {
  A sample_gain[2];
  for (int side = 0; side < 2; ++side) {
    const int64_t row = blockIdx.x + side * x.pairs, start = row * x.count;
    A gain = A(0), error = A(0), ref_error = A(0);
    for (int64_t i = start + threadIdx.x; i < start + x.count; i += blockDim.x) {
      const A pred = load_element<A>(x.pred, x.dtype, i), ref = load_element<A>(x.ref, x.dtype, i),
              target = load_element<A>(x.target, x.dtype, i);
      const A change = pred - ref, off = pred - target, ref_off = ref - target;
      gain += change * (change + A(2) * ref_off);
      error += off * off;
      ref_error += ref_off * ref_off;
    }
    sample_gain[side] = block_sum(gain) / x.divisor;
    error = block_sum(error) / x.divisor;
    ref_error = block_sum(ref_error) / x.divisor;
    if (threadIdx.x > 0) continue;
    out.gain[row] = sample_gain[side];
    out.error[row] = error;
    out.ref_error[row] = ref_error;
  }
  if (threadIdx.x == 0) out.logit[blockIdx.x] = (sample_gain[0] - sample_gain[1]) * x.factor;
}

template <class A>
__global__ void pair_backward(Pairs<A> x, const A* grad, void* grad_pred) {
  const int64_t step = int64_t(gridDim.x) * blockDim.x;
  for (int64_t row = blockIdx.y; row < 2 * x.pairs; row += gridDim.y) {
    const A of_logit = grad[row % x.pairs] * x.factor;
    const A scale = A(2) * (row < x.pairs ? of_logit : -of_logit) / x.divisor;
    for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < x.count; i += step) {
      const int64_t at = row * x.count + i;
      const A difference = load_element<A>(x.pred, x.dtype, at) - load_element<A>(x.target, x.dtype, at);
      store_element(grad_pred, x.dtype, at, scale * difference);
    }
  }
}

template <class A>
Pairs<A> pairs_of(const PairOperands& in) {
  const int64_t rows = in.pred.shape()[0];
  return {in.pred.raw_data(), in.ref.raw_data(),      in.target.raw_data(), in.pred.dtype(),
          rows / 2,           in.pred.numel() / rows, A(in.divisor),        A(in.factor)};
}

}  // namespace

void pair_logit_kernel(Cuda cuda, const PairOperands& in, PairLogit& out) {
  visit_dtype(TypeList<float, double>{}, out.logit.dtype(), "pair_logit", [&]<class A>() {
    const Pairs<A> pairs = pairs_of<A>(in);
    const int threads = pairs.count >= 4 * kMostThreads ? kMostThreads : threads_for(pairs.count);
    launch("pair_logit", cuda, {pairs.pairs, threads}, pair_forward<A>, pairs,
           Results<A>{out.logit.mutable_data<A>(), out.gain.mutable_data<A>(), out.error.mutable_data<A>(),
                      out.ref_error.mutable_data<A>()});
  });
}

void pair_logit_backward_kernel(Cuda cuda, const Tensor& grad, const PairOperands& in, Tensor& grad_pred) {
  visit_dtype(TypeList<float, double>{}, grad.dtype(), "pair_logit_backward", [&]<class A>() {
    const Pairs<A> pairs = pairs_of<A>(in);
    const int64_t rows = 2 * pairs.pairs, most = 65535;
    const int threads = threads_for(pairs.count);
    launch("pair_logit_backward", cuda, {ceil_div(pairs.count, threads), threads, rows < most ? rows : most},
           pair_backward<A>, pairs, grad.data<A>(), grad_pred.raw_mutable_data());
  });
}

}  // namespace plumb
