// Layer norm on the CPU: norm_rows_cpu.h goes over the rows, layer_norm_rows.h has the maths of one. The variance is
// taken about the mean, both pairwise in Acc<T>; the row is in the L1 cache by then. Backward, per row, with h = grad *
// weight and n = (x - mean) * rstd:
//   grad_x = rstd * (h - mean(h) - n * mean(h * n))

#include "engine/ops/norm/layer_norm_kernels.h"
#include "engine/ops/norm/norm_rows_cpu.h"

namespace plumb {

void layer_norm_kernel(Cpu, const Tensor& x, const Tensor& weight, const Tensor& bias, double eps,
                       LayerNormResult& out) {
  visit_dtype(Floats{}, x.dtype(), "layer_norm",
              [&]<class T>() { norm_rows<T>(layer_norm_rows<Acc<T>>(), x, weight, bias, eps, out); });
}

void layer_norm_backward_kernel(Cpu, const Tensor& grad, const Tensor& x, const LayerNormResult& forward,
                                const Tensor& weight, LayerNormGrads& grads) {
  visit_dtype(Floats{}, x.dtype(), "layer_norm_backward",
              [&]<class T>() { NormBackward<T>(layer_norm_rows<Acc<T>>(), grad, x, forward, weight, grads).run(); });
}

}  // namespace plumb
