// Depth-wise convolution. A position adds KH * KW products of two rows of channels, contiguous in x and, once the bank
// is turned to [KH, KW, C], in the weights. Backward to the weights sums positions in order within a picture, pictures
// in order, so the bits do not depend on the number of threads.

#include "engine/ops/conv/depthwise.h"

#include <algorithm>
#include <vector>

#include "engine/loops.h"
#include "engine/ops/conv/patches.h"

namespace plumb {
namespace {

template <class T>
std::vector<T> taps_first(const ConvGeometry& g, const T* weight) {
  const int64_t channels = g.in_channels, taps = g.kernel.height * g.kernel.width;
  std::vector<T> bank(size_t(channels * taps));
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t k = 0; k < taps; ++k) bank[size_t(k * channels + c)] = weight[c * taps + k];
  return bank;
}

/// Calls f(row, tap, sample) for every tap that has a sample, row by row; `row` and `sample` count pixels of the batch.
template <class F>
void for_each_tap(const Patches& p, int64_t begin, int64_t end, F&& f) {
  for (int64_t row = begin; row < end; ++row) {
    const int64_t j = row % p.rows.width, i = row / p.rows.width % p.rows.height,
                  n = row / p.rows.width / p.rows.height;
    for (int64_t u = 0; u < p.kernel.height; ++u) {
      const int64_t y = p.vertical.at(i, u);
      for (int64_t v = 0; y >= 0 && v < p.kernel.width; ++v)
        if (const int64_t x = p.horizontal.at(j, v); x >= 0)
          f(row, u * p.kernel.width + v, (n * p.vertical.limit + y) * p.horizontal.limit + x);
    }
  }
}

/// out[row, c] = bias[c] + sum over taps of bank[tap, c] * samples[sample, c].
template <class T>
void add_taps(const Patches& p, int64_t rows, const T* samples, const T* bank, const T* bias, T* out) {
  const int64_t channels = p.pitch;
  const int64_t work = channels * p.kernel.height * p.kernel.width;
  parallel_for(rows, std::max<int64_t>(1, kElementGrain / work), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      if (bias)
        std::copy_n(bias, channels, out + row * channels);
      else
        std::fill_n(out + row * channels, channels, T(0));
    }
    for_each_tap(p, begin, end, [&](int64_t row, int64_t tap, int64_t sample) {
      T* to = out + row * channels;
      const T *x = samples + sample * channels, *w = bank + tap * channels;
      for (int64_t c = 0; c < channels; ++c) to[c] += x[c] * w[c];
    });
  });
}

}  // namespace

template <class T>
void depthwise_forward(const ConvGeometry& g, const T* x, const T* weight, const T* bias, T* y) {
  const std::vector<T> bank = taps_first(g, weight);
  add_taps<T>(forward_patches(g, 0), g.batch * g.output.height * g.output.width, x, bank.data(), bias, y);
}

template <class T>
void depthwise_backward_x(const ConvGeometry& g, const T* grad, const T* weight, T* grad_x) {
  const std::vector<T> bank = taps_first(g, weight);
  add_taps<T>(backward_patches(g, 0), g.batch * g.input.height * g.input.width, grad, bank.data(),
              static_cast<const T*>(nullptr), grad_x);
}

template <class T>
void depthwise_backward_weight(const ConvGeometry& g, const T* grad, const T* x, T* grad_weight) {
  const Patches p = forward_patches(g, 0);
  const int64_t channels = g.in_channels, taps = g.kernel.height * g.kernel.width, size = taps * channels;
  const int64_t rows = g.output.height * g.output.width;
  std::vector<T> sums(size_t(g.batch * size));
  parallel_for(g.batch, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      T* sum = sums.data() + n * size;
      for_each_tap(p, n * rows, (n + 1) * rows, [&](int64_t row, int64_t tap, int64_t sample) {
        T* to = sum + tap * channels;
        const T *from = grad + row * channels, *pixel = x + sample * channels;
        for (int64_t c = 0; c < channels; ++c) to[c] += from[c] * pixel[c];
      });
    }
  });
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t k = 0; k < taps; ++k) {
      T total = 0;
      for (int64_t n = 0; n < g.batch; ++n) total += sums[size_t(n * size + k * channels + c)];
      grad_weight[c * taps + k] = total;
    }
}

template void depthwise_forward(const ConvGeometry&, const float*, const float*, const float*, float*);
template void depthwise_forward(const ConvGeometry&, const double*, const double*, const double*, double*);
template void depthwise_backward_x(const ConvGeometry&, const float*, const float*, float*);
template void depthwise_backward_x(const ConvGeometry&, const double*, const double*, double*);
template void depthwise_backward_weight(const ConvGeometry&, const float*, const float*, float*);
template void depthwise_backward_weight(const ConvGeometry&, const double*, const double*, double*);

}  // namespace plumb
