#pragma once

#include <cstdint>

#include "engine/fused_activation.h"

namespace plumb {

/// One tile of a product, c[rows, columns] = a[rows, depth] b[depth, columns], with rows <= GemmKernels::tile_rows and
/// columns <= GemmKernels::tile_columns.
struct GemmTile {
  const float* a;  // element (i, k) lies at a[i * a_row + k * a_step]; one of the two strides is 1
  int64_t a_row, a_step;
  const float* b;  // row k lies at b + k * b_step and has tile_columns readable elements
  int64_t b_step;
  float* c;
  int64_t c_row;
  int64_t rows, columns, depth;
  bool add;           // to what c holds; otherwise c is overwritten, not read
  const float* bias;  // [columns], added last; or null
  // Then, while the tile is in the first-level cache:
  FusedActivation activation;  // c = f(c)
  float* derivative;           // f'(x) of the activation, rows c_row apart; or null
};

/// Matrix product in float. Every element of c is one chain of fused multiply-adds in the order of k, so its bits
/// depend neither on the tile it falls into nor on which of AVX2 and AVX-512 computes it. Without either the product is
/// BLAS's, with bits of its own.
struct GemmKernels {
  int64_t tile_rows;  // 0 when this instruction set has no kernels: the product is BLAS's then
  int64_t tile_columns;
  void (*tile)(const GemmTile& tile);
  /// panel[k * width + j] = source[j * stride + k] for j < lines and k < depth, and 0 for lines <= j < width: rows of a
  /// matrix become the columns of a panel. Writes up to 7 elements past the end of a panel whose width is no
  /// multiple of 8.
  void (*pack_transposed)(const float* source, int64_t stride, int64_t lines, int64_t depth, float* panel,
                          int64_t width);
  /// out = grad * factor over `count` contiguous rows, and sum[width] = the column sums of out (every instruction set
  /// has it: engine/ops/linalg/linear_rows.h). out may be grad.
  void (*scale_and_sum_rows)(const float* grad, const float* factor, int64_t count, int64_t width, float* out,
                             float* sum);
};

}  // namespace plumb
