#pragma once

#include <cstdint>

namespace plumb {

// Loops over dense rows of n >= 1 elements. What each computes is said beside the template of the same name in
// engine/ops/<family>/*_rows.h.

template <class A>
struct FoldRows {
  A (*sum_block)(const A* x, int64_t n);
  A (*max_block)(const A* x, int64_t n);
  A (*min_block)(const A* x, int64_t n);
  void (*sum_rows)(const A* rows, int64_t stride, int64_t count, int64_t n, A* sums);
};

template <class A>
struct SoftmaxRows {
  void (*softmax)(const A* x, int64_t n, A* y);
  void (*log_softmax)(const A* x, int64_t n, A* y);
  void (*softmax_grad)(const A* g, const A* y, int64_t n, A* grad_x);
  void (*log_softmax_grad)(const A* g, const A* y, int64_t n, A* grad_x);
};

/// What a row is normalised with. weight and bias may be null.
template <class A>
struct LayerNormParameters {
  const A* weight;
  const A* bias;
  A eps;
};

/// Mean and 1 / sqrt(var + eps) of a row.
template <class A>
struct RowStatistics {
  A mean, rstd;
};

template <class A>
struct LayerNormRows {
  void (*forward)(const A* x, int64_t n, const LayerNormParameters<A>* parameters, A* y, RowStatistics<A>* statistics);
  void (*grad)(const A* g, const A* x, int64_t n, const A* weight, const RowStatistics<A>* statistics, A* grad_x);
  void (*fold)(const A* g, const A* x, int64_t n, const RowStatistics<A>* statistics, bool first, A* sums);
};

/// Neighbouring channels of neighbouring pixels: element (pixel, channel) lies at x[pixel * step + channel], or with
/// planes at x[channel * step + pixel].
struct PixelTile {
  int64_t pixels, channels;  // at most kGroupNormPixels, kGroupNormChannels
  bool planes;
};
template <class A>
struct PixelArray {
  A* data;
  int64_t step;
};
inline constexpr int64_t kGroupNormPixels = 1024, kGroupNormChannels = 96;

/// z = (x - mean) * scale + shift, one of each a channel.
template <class A>
struct ChannelAffine {
  const A *mean, *scale, *shift;
  bool silu;  // y = silu(z), not z
};

/// grad_x = g * scale - (offset + (x - mean) * slope), one of each a channel.
template <class A>
struct ChannelLines {
  const A *offset, *slope;
};

template <class A>
struct GroupNormRows {
  void (*moments)(const PixelTile& tile, PixelArray<const A> x, A* means, A* squares);
  void (*normalise)(const PixelTile& tile, PixelArray<const A> x, const ChannelAffine<A>& affine, PixelArray<A> y);
  void (*silu_grad)(const PixelTile& tile, PixelArray<const A> x, PixelArray<const A> up,
                    const ChannelAffine<A>& affine, PixelArray<A> g);
  void (*grad_sums)(const PixelTile& tile, PixelArray<const A> x, PixelArray<const A> g, const A* mean, A* projected,
                    A* level);
  void (*grad)(const PixelTile& tile, PixelArray<const A> x, PixelArray<const A> g, const ChannelAffine<A>& affine,
               const ChannelLines<A>& lines, PixelArray<A> grad_x);
};

template <class A>
struct SquaredErrorRows {
  A (*error)(const A* p, const A* t, int64_t n);
  A (*gain)(const A* p, const A* r, const A* t, int64_t n);
  void (*grad)(A factor, const A* p, const A* t, int64_t n, A* grad_pred, A* grad_target);
};

/// Of each column of a block of scores: the largest so far, the sum of e^(score - largest), and what sums made before
/// the block have to be multiplied by.
template <class A>
struct AttentionState {
  A *largest, *total, *correction;
};

/// Of the query that a row of scores belongs to.
template <class A>
struct AttentionGradRow {
  A scale, lse, delta;
};

template <class A>
struct AttentionRows {
  void (*softmax)(A* scores, int64_t keys, int64_t width, A scale, const AttentionState<A>* state);
  void (*accumulate)(A* sums, const A* part, const A* correction, int64_t rows, int64_t width);
  void (*grad_row)(A* scores, A* grads, int64_t keys, const AttentionGradRow<A>* row);
  A (*dot)(const A* x, const A* y, int64_t n);
};

struct ReduceKernels {
  AttentionRows<float> attention;
  FoldRows<float> fold;
  SoftmaxRows<float> softmax;
  LayerNormRows<float> layer_norm, rms_norm;
  GroupNormRows<float> group_norm;
  SquaredErrorRows<float> squared_error;
};

}  // namespace plumb
