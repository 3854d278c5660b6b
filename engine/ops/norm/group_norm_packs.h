#pragma once

#include "engine/backend.h"
#include "engine/ops/norm/group_norm.h"
#include "engine/tensor.h"

// The fast path of group_norm on CUDA: channels innermost, f32, bf16 or f16, channels a multiple of a 16-byte pack.
// Tensors as in group_norm_kernels.h.

namespace plumb {

/// Whether these tensors (undefined ones count as fitting) can take it.
bool group_norm_fits_packs(const GroupNormSaved& saved, const Tensor& other, const Tensor& result);

void group_norm_packs(const Cuda& cuda, const GroupNormSaved& saved, const GroupNormOptions& options, Tensor& y);
void group_norm_again_packs(const Cuda& cuda, const GroupNormSaved& saved, const GroupNormOptions& options, Tensor& y);
void group_norm_backward_packs(const Cuda& cuda, const Tensor& grad, const GroupNormSaved& saved,
                               const GroupNormOptions& options, GroupNormGrads& grads);

}  // namespace plumb
