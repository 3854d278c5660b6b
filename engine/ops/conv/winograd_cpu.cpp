// Forward: y = A^T [ sum over c of (G g G^T) (B^T d B) ] A for every tile of 4x4 results, its 6x6 samples d and every
// kernel g (engine/isa/winograd.cpp has the matrices). For each of the 36 transformed values the sum over channels is a
// matrix product, [tiles, C] [C, O], which the micro-kernels of gemm form from what the transforms wrote:
//
//   samples   [36][tiles, C]            read row by row, as a matrix that lies as it is
//   kernels   [36][C, 32] a panel       the panels that the micro-kernel wants, 32 output channels each
//   products  [36][tiles, columns]      transformed back at once, while they are in the second-level cache
//
// Gradients of x are a forward convolution of the gradients with kernels turned by half a circle and transposed.
//
// With many tiles all kernels are transformed first, and a task is a block of tiles: what it holds of samples and
// products fits into the second-level cache. With few tiles (pictures of 16x16 with a thousand channels) the kernels
// are the larger part: then all samples are transformed first, and a task is a few panels of kernels, which are used as
// soon as they are transformed and never reach memory. Both depend on sizes alone, and each sum is one chain a block of
// depth, so bits do not depend on the number of threads, nor on AVX2 or AVX-512.

#include <algorithm>
#include <array>

#include "engine/ops/conv/scratch.h"
#include "engine/ops/conv/winograd.h"
#include "engine/ops/conv/winograd_tiles.h"
#include "engine/parallel.h"

namespace plumb {
namespace {

constexpr int64_t kDepth = 128;     // of a chain of sums: with 256 the error grows by 1.7
                                    // and the speed does not
constexpr int64_t kFewTiles = 192;  // up to here tasks are columns
constexpr int64_t kBlockElements = 1 << 18;
constexpr int64_t kLeastTiles = 28, kMostTiles = 112;
constexpr int64_t kTaskPanels = 2;  // columns transformed back at a time

/// The kernels of a convolution as the product's right-hand side [depth, columns].
struct KernelBank {
  const float* data;    // [O, 3, 3, C]
  int64_t out, in;      // O, C
  bool turned = false;  // the convolution is backward: depth is O, columns are C

  int64_t depth() const { return turned ? out : in; }
  int64_t columns() const { return turned ? in : out; }
};

class Winograd {
 public:
  Winograd(const Kernels& isa, const TiledPictures& x, const Size2d& padding, const KernelBank& bank,
           const TiledPictures& y)
      : isa_(isa),
        x_(x),
        padding_(padding),
        bank_(bank),
        y_(y),
        panel_(WinogradLayout::dense(bank.depth(), isa.gemm.tile_columns)),
        panels_(ceil_div(bank.columns(), panel_.row)) {}

  void run(const float* x, const float* bias, float* y) const {
    if (x_.count() <= kFewTiles) return by_columns(x, bias, y);
    by_tiles(x, bias, y);
  }

 private:
  struct Range {
    int64_t begin, end;
    int64_t size() const { return end - begin; }
  };

  void by_tiles(const float* x, const float* bias, float* y) const {
    Scratch<float> kernels(panels_ * panel_.elements());
    float* bank = kernels.data();
    parallel_for(panels_, 1, [&](int64_t begin, int64_t end) {
      Scratch<float> turning(turning_elements());
      for (int64_t p = begin; p < end; ++p) transform_kernels(p, turning.data(), bank + p * panel_.elements());
    });
    const int64_t across = std::min(kTaskPanels, panels_) * panel_.row;
    const int64_t a_tile = WinogradLayout(1, bank_.depth()).row, c_tile = WinogradLayout(1, across).row;
    const int64_t fitting = kBlockElements / (kWinogradValues * (a_tile + c_tile));
    const int64_t most = std::clamp(fitting, kLeastTiles, kMostTiles);
    const int64_t blocks = ceil_div(x_.count(), most), block = ceil_div(x_.count(), blocks);
    parallel_for(blocks, 1, [&](int64_t begin, int64_t end) {
      const WinogradLayout a(block, bank_.depth()), c(block, across);
      Scratch<float> samples(a.elements()), products(c.elements()), nowhere(across);
      for (int64_t b = begin; b < end; ++b) {
        const Range tiles{b * block, std::min(x_.count(), (b + 1) * block)};
        transform_samples(x, tiles, a, samples.data());
        for (int64_t p = 0; p < panels_; p += kTaskPanels) {
          const Range panels{p, std::min(panels_, p + kTaskPanels)};
          multiply({samples.data(), a}, bank + p * panel_.elements(), panels, {products.data(), c}, tiles.size());
          transform_products({products.data(), c}, tiles, panels, bias, {y, nowhere.data()});
        }
      }
    });
  }

  void by_columns(const float* x, const float* bias, float* y) const {
    const int64_t count = x_.count();
    const WinogradLayout a(count, bank_.depth());
    Scratch<float> samples(a.elements());
    float* lhs = samples.data();
    parallel_for(count, 8, [&](int64_t begin, int64_t end) {
      transform_samples(x, {begin, end}, a, lhs + begin * a.row);
    });
    parallel_for(ceil_div(panels_, kTaskPanels), 1, [&](int64_t begin, int64_t end) {
      const int64_t across = kTaskPanels * panel_.row;
      const WinogradLayout c(count, across);
      Scratch<float> kernels(kTaskPanels * panel_.elements()), products(c.elements()), nowhere(across);
      Scratch<float> turning(turning_elements());
      for (int64_t task = begin; task < end; ++task) {
        const Range panels{task * kTaskPanels, std::min(panels_, (task + 1) * kTaskPanels)};
        for (int64_t p = panels.begin; p < panels.end; ++p)
          transform_kernels(p, turning.data(), kernels.data() + (p - panels.begin) * panel_.elements());
        multiply({lhs, a}, kernels.data(), panels, {products.data(), c}, count);
        transform_products({products.data(), c}, {0, count}, panels, bias, {y, nowhere.data()});
      }
    });
  }

  void transform_samples(const float* x, const Range& tiles, const WinogradLayout& layout, float* out) const {
    const float* samples[kWinogradValues];
    for (int64_t t = tiles.begin; t < tiles.end; ++t) {
      x_.samples<kWinogradSamples>(x, t, padding_, samples);
      isa_.winograd.input(samples, out + (t - tiles.begin) * layout.row, layout.step, x_.channels());
    }
  }

  static constexpr int64_t kTurn = 32;  // channels of a panel's kernels that are transposed at a time
  int64_t turning_elements() const { return bank_.turned ? 0 : WinogradLayout(panel_.row, kTurn).elements(); }

  /// Panel p of the kernels: [36][depth, tile_columns].
  void transform_kernels(int64_t p, float* turning, float* panel) const {
    const int64_t width = panel_.row, first = p * width, columns = std::min(width, bank_.columns() - first);
    const int64_t in = bank_.in;
    if (bank_.turned) {
      for (int64_t o = 0; o < bank_.out; ++o)
        isa_.winograd.kernel(bank_.data + (o * 9 + 8) * in + first, -in, panel + o * width, panel_.step, columns);
      return;
    }
    const WinogradLayout part(width, kTurn);
    for (int64_t c = 0; c < in; c += kTurn) {
      const int64_t channels = std::min(kTurn, in - c);
      for (int64_t o = 0; o < columns; ++o)
        isa_.winograd.kernel(bank_.data + (first + o) * 9 * in + c, in, turning + o * part.row, part.step, channels);
      for (int64_t k = 0; k < kWinogradValues; ++k)
        isa_.gemm.pack_transposed(turning + k * part.step, part.row, columns, channels,
                                  panel + k * panel_.step + c * width, width);
    }
  }

  struct Values {
    float* data;
    const WinogradLayout& layout;
  };

  /// products [36][tiles, panels * width] = samples [36][tiles, depth] kernels.
  void multiply(const Values& samples, const float* kernels, const Range& panels, const Values& products,
                int64_t tiles) const {
    const int64_t width = panel_.row, depth = bank_.depth();
    const int64_t part = ceil_div(depth, ceil_div(depth, kDepth));
    const int64_t rows = ceil_div(tiles, ceil_div(tiles, isa_.gemm.tile_rows));
    GemmTile t{};
    t.a_row = samples.layout.row;
    t.a_step = 1;
    t.b_step = width;
    t.c_row = products.layout.row;
    for (int64_t k = 0; k < kWinogradValues; ++k)
      for (int64_t p = 0; p < panels.size(); ++p) {
        t.columns = std::min(width, bank_.columns() - (panels.begin + p) * width);
        for (int64_t d = 0; d < depth; d += part) {
          t.depth = std::min(part, depth - d);
          t.add = d > 0;
          t.b = kernels + p * panel_.elements() + k * panel_.step + d * width;
          for (int64_t i = 0; i < tiles; i += rows) {
            t.rows = std::min(rows, tiles - i);
            t.a = samples.data + k * samples.layout.step + i * samples.layout.row + d;
            t.c = products.data + k * products.layout.step + i * products.layout.row + p * width;
            isa_.gemm.tile(t);
          }
        }
      }
  }

  struct Results {
    float* data;
    float* nowhere;
  };

  void transform_products(const Values& products, const Range& tiles, const Range& panels, const float* bias,
                          const Results& y) const {
    const int64_t first = panels.begin * panel_.row;
    const int64_t channels = std::min(panels.end * panel_.row, y_.channels()) - first;
    float* results[kWinogradResults * kWinogradResults];
    for (int64_t t = tiles.begin; t < tiles.end; ++t) {
      y_.results(y.data, t, first, y.nowhere, results);
      isa_.winograd.output(products.data + (t - tiles.begin) * products.layout.row, products.layout.step,
                           bias ? bias + first : nullptr, results, channels);
    }
  }

  const Kernels& isa_;
  const TiledPictures& x_;
  const Size2d padding_;
  const KernelBank bank_;
  const TiledPictures& y_;
  const WinogradLayout panel_;  // of one panel of kernels
  const int64_t panels_;
};

}  // namespace

bool winograd_fits(const Kernels& isa, const ConvGeometry& g) {
  const Conv2dOptions& o = g.options;
  return isa.gemm.tile && g.kernel == Size2d{3, 3} && o.stride == Size2d{1, 1} && o.dilation == Size2d{1, 1} &&
         o.groups == 1 && o.padding.height <= 2 && o.padding.width <= 2 && g.in_channels > 0;
}

void winograd_forward(const Kernels& isa, const ConvGeometry& g, const float* x, const float* weight, const float* bias,
                      float* y) {
  const TiledPictures samples(g.batch, g.output, g.input, g.in_channels);
  const TiledPictures results(g.batch, g.output, g.output, g.out_channels);
  Winograd(isa, samples, g.options.padding, {weight, g.out_channels, g.in_channels}, results).run(x, bias, y);
}

void winograd_backward_x(const Kernels& isa, const ConvGeometry& g, const float* grad, const float* weight,
                         float* grad_x) {
  const TiledPictures samples(g.batch, g.input, g.output, g.out_channels);
  const TiledPictures results(g.batch, g.input, g.input, g.in_channels);
  const Size2d padding{2 - g.options.padding.height, 2 - g.options.padding.width};
  Winograd(isa, samples, padding, {weight, g.out_channels, g.in_channels, true}, results).run(grad, nullptr, grad_x);
}

}  // namespace plumb
