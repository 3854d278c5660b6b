// The gradient of x of a convolution with a stride, the other way round: each result hands its share to the pixels its
// patch was made of.
//
//   shares[row, (u, v, c)] = dy[row, o] weight[o, (u, v, c)],   then dx[pixel of (row, u, v), c] += shares
//
// A pixel lies in only KH KW / stride^2 patches, so gathering patches of dy, most of them zeros between the strides,
// would multiply stride^2 times as much: a downsampling 3x3 convolution of 64 channels at 32x32 ran at 12 GFLOP/s that
// way. A task is one picture, and its rows are added in order: same bits for any number of threads.

#include <algorithm>

#include "engine/gemm.h"
#include "engine/ops/conv/scatter.h"
#include "engine/ops/conv/scratch.h"
#include "engine/parallel.h"

namespace plumb {
namespace {

constexpr int64_t kShareElements = int64_t(1) << 18;  // of shares at a time: 1 MiB of floats

template <class T>
class Scatter {
 public:
  explicit Scatter(const ConvGeometry& g) : g_(g), runs_(g.kernel.height * g.kernel.width * g.group_in()) {}

  /// One picture.
  void run(const T* grad, const T* weight, T* dx) const {
    std::fill_n(dx, g_.input.height * g_.input.width * g_.in_channels, T(0));
    const int64_t rows = g_.output.height * g_.output.width;
    const int64_t block = std::clamp<int64_t>(kShareElements / runs_, 1, rows);
    Scratch<T> shares(block * runs_);
    for (int64_t group = 0; group < g_.options.groups; ++group) {
      const T* bank = weight + group * g_.group_out() * runs_;
      for (int64_t first = 0; first < rows; first += block) {
        const int64_t count = std::min(block, rows - first);
        gemm<T>({count, runs_, g_.group_out()},
                {grad + first * g_.out_channels + group * g_.group_out(), g_.out_channels}, {bank, runs_},
                {.data = shares.data(), .ld = runs_});
        for (int64_t r = 0; r < count; ++r) add_row(first + r, shares.data() + r * runs_, dx + group * g_.group_in());
      }
    }
  }

 private:
  /// The shares of one result, to each pixel of its patch that is in the picture.
  void add_row(int64_t row, const T* share, T* dx) const {
    const Conv2dOptions& o = g_.options;
    const int64_t top = row / g_.output.width * o.stride.height - o.padding.height;
    const int64_t left = row % g_.output.width * o.stride.width - o.padding.width;
    for (int64_t u = 0; u < g_.kernel.height; ++u)
      for (int64_t v = 0; v < g_.kernel.width; ++v, share += g_.group_in()) {
        const int64_t y = top + u * o.dilation.height, x = left + v * o.dilation.width;
        if (y < 0 || y >= g_.input.height || x < 0 || x >= g_.input.width) continue;
        T* pixel = dx + (y * g_.input.width + x) * g_.in_channels;
        for (int64_t c = 0; c < g_.group_in(); ++c) pixel[c] += share[c];
      }
  }

  const ConvGeometry& g_;
  int64_t runs_;  // elements of a patch
};

}  // namespace

template <class T>
void scattered_backward_x(const ConvGeometry& g, const T* grad, const T* weight, T* grad_x) {
  const Scatter<T> scatter(g);
  const int64_t in = g.input.height * g.input.width * g.in_channels;
  const int64_t out = g.output.height * g.output.width * g.out_channels;
  parallel_for(g.batch, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) scatter.run(grad + n * out, weight, grad_x + n * in);
  });
}

template void scattered_backward_x(const ConvGeometry&, const float*, const float*, float*);
template void scattered_backward_x(const ConvGeometry&, const double*, const double*, double*);

}  // namespace plumb
