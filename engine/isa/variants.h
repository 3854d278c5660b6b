#pragma once

#include "engine/isa/elementwise_kernels.h"
#include "engine/isa/gemm_kernels.h"
#include "engine/isa/optim_kernels.h"
#include "engine/isa/peak_kernels.h"
#include "engine/isa/random_kernels.h"
#include "engine/isa/reduce_kernels.h"
#include "engine/isa/winograd_kernels.h"
#include "engine/simd.h"

// What one instruction set defines, one table a family. Included by the sources that define them (with PLUMB_ISA set by
// the build) and, three times over through declarations below, by kernels.cpp.

namespace plumb {

namespace portable {
extern const ElementwiseKernels elementwise_kernels;
extern const GemmKernels gemm_kernels;
extern const OptimKernels optim_kernels;
extern const PeakKernels peak_kernels;
extern const RandomKernels random_kernels;
extern const ReduceKernels reduce_kernels;
extern const WinogradKernels winograd_kernels;
}  // namespace portable
namespace avx2 {
extern const ElementwiseKernels elementwise_kernels;
extern const GemmKernels gemm_kernels;
extern const OptimKernels optim_kernels;
extern const PeakKernels peak_kernels;
extern const RandomKernels random_kernels;
extern const ReduceKernels reduce_kernels;
extern const WinogradKernels winograd_kernels;
}  // namespace avx2
namespace avx512 {
extern const ElementwiseKernels elementwise_kernels;
extern const GemmKernels gemm_kernels;
extern const OptimKernels optim_kernels;
extern const PeakKernels peak_kernels;
extern const RandomKernels random_kernels;
extern const ReduceKernels reduce_kernels;
extern const WinogradKernels winograd_kernels;
}  // namespace avx512

}  // namespace plumb
