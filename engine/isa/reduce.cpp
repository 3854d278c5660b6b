// Rows of the attention, reduce, softmax, norm and loss families in float, compiled once an instruction set (see
// kernels.h).

// Instructions are ordered before registers are given out, where there are registers enough: see stages.h.
#if defined(__AVX512F__) && defined(__OPTIMIZE__) && !defined(__clang__)
#pragma GCC optimize("schedule-insns")
#endif

#include "engine/isa/variants.h"
#include "engine/ops/attention/attention_rows.h"
#include "engine/ops/loss/squared_error_rows.h"
#include "engine/ops/norm/group_norm_rows.h"
#include "engine/ops/norm/layer_norm_rows.h"
#include "engine/ops/norm/rms_norm_rows.h"
#include "engine/ops/reduce/fold_rows.h"
#include "engine/ops/softmax/softmax_rows.h"

namespace plumb::PLUMB_ISA {

constinit const ReduceKernels reduce_kernels = {
    .attention = make_attention_rows<float>(),
    .fold = make_fold_rows<float>(),
    .softmax = make_softmax_rows<float>(),
    .layer_norm = make_layer_norm_rows<float>(),
    .rms_norm = make_rms_norm_rows<float>(),
    .group_norm = make_group_norm_rows<float>(),
    .squared_error = make_squared_error_rows<float>(),
};

}  // namespace plumb::PLUMB_ISA
