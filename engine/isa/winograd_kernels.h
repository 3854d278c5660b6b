#pragma once

#include <cstdint>

namespace plumb {

/// The transforms of Winograd's convolution F(4x4, 3x3), for `channels` neighbouring channels of one tile. Every value
/// of a tile is a row of channels; values are numbered row by row. 36 transformed values lie `step` apart.
/// All null where GemmKernels has no tile. The matrices are in winograd.cpp, what they are for in
/// engine/ops/conv/winograd_cpu.cpp.
struct WinogradKernels {
  /// B^T d B: 6x6 samples, from[k] each, to 36.
  void (*input)(const float* const* from, float* to, int64_t step, int64_t channels);
  /// G g G^T: 3x3 taps, from + k * from_step, to 36.
  void (*kernel)(const float* from, int64_t from_step, float* to, int64_t step, int64_t channels);
  /// A^T m A + bias: 36 to 4x4 results, to[k] each. bias: [channels], or null.
  void (*output)(const float* from, int64_t step, const float* bias, float* const* to, int64_t channels);
  /// A g A^T: 4x4 gradients of results, from[k] each, to 36. (The transpose of `output`.)
  void (*gradient)(const float* const* from, float* to, int64_t step, int64_t channels);
  /// G^T m G: 36 to the gradients of 3x3 taps, to + k * to_step; `add` to what is there. (The transpose of `kernel`.)
  void (*kernel_gradient)(const float* from, int64_t step, float* to, int64_t to_step, int64_t channels, bool add);
};

}  // namespace plumb
