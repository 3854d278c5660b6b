// The kernels of error_gain and sample_error, and the few numbers between them.

#include "engine/ops/loss/pair_logit_kernels.h"
#include "engine/ops/loss/squared_error_kernels.h"

namespace plumb {

void pair_logit_kernel(Cpu cpu, const PairOperands& in, PairLogit& out) {
  const int64_t pairs = out.logit.numel();
  error_gain_kernel(cpu, in.pred, in.ref, in.target, in.divisor, out.gain);
  squared_error_kernel(cpu, in.pred, in.target, 2 * pairs, in.divisor, out.error);
  squared_error_kernel(cpu, in.ref, in.target, 2 * pairs, in.divisor, out.ref_error);
  visit_dtype(TypeList<float, double>{}, out.logit.dtype(), "pair_logit", [&]<class A>() {
    const A* gain = out.gain.data<A>();
    A* logit = out.logit.mutable_data<A>();
    for (int64_t i = 0; i < pairs; ++i) logit[i] = (gain[i] - gain[pairs + i]) * A(in.factor);
  });
}

void pair_logit_backward_kernel(Cpu cpu, const Tensor& grad, const PairOperands& in, Tensor& grad_pred) {
  const int64_t pairs = grad.numel();
  Tensor gain_grad = empty({2 * pairs}, grad.dtype()), none;
  visit_dtype(TypeList<float, double>{}, grad.dtype(), "pair_logit", [&]<class A>() {
    const A* from = grad.data<A>();
    A* to = gain_grad.mutable_data<A>();
    for (int64_t i = 0; i < pairs; ++i) {
      to[i] = from[i] * A(in.factor);
      to[pairs + i] = -to[i];
    }
  });
  squared_error_backward_kernel(cpu, gain_grad, in.pred, in.target, in.divisor, grad_pred, none);
}

}  // namespace plumb
