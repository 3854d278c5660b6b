// Rms norm on the CPU: norm_rows_cpu.h goes over the rows, rms_norm_rows.h has the maths of one.

#include "engine/ops/norm/norm_rows_cpu.h"
#include "engine/ops/norm/rms_norm_kernels.h"

namespace plumb {

void rms_norm_kernel(Cpu, const Tensor& x, const Tensor& weight, double eps, RmsNormResult& out) {
  LayerNormResult result{out.y, {}, out.rstd};
  visit_dtype(Floats{}, x.dtype(), "rms_norm",
              [&]<class T>() { norm_rows<T>(rms_norm_rows<Acc<T>>(), x, weight, {}, eps, result); });
}

void rms_norm_backward_kernel(Cpu, const Tensor& grad, const Tensor& x, const Tensor& rstd, const Tensor& weight,
                              RmsNormGrads& grads) {
  const LayerNormResult forward{{}, {}, rstd};
  LayerNormGrads into{grads.x, grads.weight, {}};
  visit_dtype(Floats{}, x.dtype(), "rms_norm_backward",
              [&]<class T>() { NormBackward<T>(rms_norm_rows<Acc<T>>(), grad, x, forward, weight, into).run(); });
}

}  // namespace plumb
