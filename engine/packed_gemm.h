#pragma once

#include "engine/gemm.h"
#include "engine/isa/gemm_kernels.h"
#include "engine/packed_matrix.h"

namespace plumb {

/// gemm by our own micro-kernels. m, n and k are positive and kernels.tile_rows > 0.
/// Each element of c is, for every block of depth (blocks are equal and at most 256 deep), one chain of fused
/// multiply-adds in the order of k; the blocks' sums are added in order, then the bias. So its bits depend on k alone:
/// not on the number of threads, the other sizes, the layouts or the instruction set.
void packed_gemm(const GemmKernels& kernels, const GemmSize& size, const MatrixView<float>& a,
                 const MatrixView<float>& b, const GemmTarget<float>& c);
/// The same, b packed before (by the same kernels).
void packed_gemm(const GemmKernels& kernels, const GemmSize& size, const MatrixView<float>& a, const PackedMatrix& b,
                 const GemmTarget<float>& c);

struct ColumnRange {
  int64_t begin, end;
};
/// Columns [begin, end) of b, of depth k, in panels as wide as a tile: [panels, k, tile_columns], zeros beyond the last
/// column. begin is a multiple of tile_columns.
void pack_columns(const GemmKernels& kernels, const MatrixView<float>& b, int64_t k, const ColumnRange& columns,
                  float* panels);
/// Elements that pack_columns writes for n columns.
int64_t packed_elements(const GemmKernels& kernels, int64_t k, int64_t n);

}  // namespace plumb
