#pragma once

#include "engine/gemm.h"
#include "engine/isa/gemm_kernels.h"

namespace plumb {

/// gemm by our own micro-kernels. m, n and k are positive and kernels.tile_rows > 0.
/// Each element of c is, for every block of depth (blocks are equal and at most 256 deep), one chain of fused
/// multiply-adds in the order of k; the blocks' sums are added in order, then the bias. So its bits depend on k alone:
/// not on the number of threads, the other sizes, the layouts or the instruction set.
void packed_gemm(const GemmKernels& kernels, const GemmSize& size, const MatrixView<float>& a,
                 const MatrixView<float>& b, const GemmTarget<float>& c);

}  // namespace plumb
