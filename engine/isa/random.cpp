// Random numbers in bulk, compiled once an instruction set (see kernels.h).

// The compiler orders instructions before it gives out registers, so that the two or four independent chains of
// operations in the loops take turns: 9.1 instead of 8.2 GB/s of normals.
#if defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__)
#pragma GCC optimize("schedule-insns")
#endif

#include "engine/isa/variants.h"
#include "engine/random/draw_rows.h"
#include "engine/random/torch_rows.h"

namespace plumb::PLUMB_ISA {

constinit const RandomKernels random_kernels = {
    .draw = draw_blocks,
    .uniform_f32 = uniform_f32_row,
    .uniform_f64 = uniform_f64_row,
    .normal_f32 = normal_f32_row,
    .normal_f64 = normal_f64_row,
    .twist = twist_row,
    .temper = temper_row,
    .torch_uniform = torch_uniform_row,
    .torch_normal = torch_normal_row,
};

}  // namespace plumb::PLUMB_ISA
