// Layer norm and rms norm on CUDA; norm_packs_cuda.cuh and norm_rows_cuda.cuh have the kernels. One file: one
// compilation of them.

#include "engine/ops/norm/layer_norm_kernels.h"
#include "engine/ops/norm/norm_run_cuda.cuh"
#include "engine/ops/norm/rms_norm_kernels.h"

namespace plumb {

void layer_norm_kernel(Cuda cuda, const Tensor& x, const Tensor& weight, const Tensor& bias, double eps,
                       LayerNormResult& out) {
  const int64_t rows = out.rstd.numel();
  run_norm("layer_norm", cuda,
           {NormArray(x), NormArray(weight), NormArray(bias), NormArray(out.y), NormArray(out.mean),
            NormArray(out.rstd), x.numel() / rows, eps},
           rows, x.dtype(), true);
}

void layer_norm_backward_kernel(Cuda cuda, const Tensor& grad, const Tensor& x, const LayerNormResult& forward,
                                const Tensor& weight, LayerNormGrads& grads) {
  run_norm_backward("layer_norm_backward", cuda,
                    {NormArray(grad), NormArray(x), NormArray(forward.mean), NormArray(forward.rstd), NormArray(weight),
                     NormArray(grads.x), x.numel() / forward.rstd.numel()},
                    forward.rstd, NormArray(grads.weight), NormArray(grads.bias));
}

void rms_norm_kernel(Cuda cuda, const Tensor& x, const Tensor& weight, double eps, RmsNormResult& out) {
  const int64_t rows = out.rstd.numel();
  run_norm("rms_norm", cuda,
           {NormArray(x), NormArray(weight), {}, NormArray(out.y), {}, NormArray(out.rstd), x.numel() / rows, eps},
           rows, x.dtype(), false);
}

void rms_norm_backward_kernel(Cuda cuda, const Tensor& grad, const Tensor& x, const Tensor& rstd, const Tensor& weight,
                              RmsNormGrads& grads) {
  run_norm_backward("rms_norm_backward", cuda,
                    {NormArray(grad),
                     NormArray(x),
                     {},
                     NormArray(rstd),
                     NormArray(weight),
                     NormArray(grads.x),
                     x.numel() / rstd.numel()},
                    rstd, NormArray(grads.weight), {});
}

}  // namespace plumb
