// Gradient of the kernels: dg = G^T [ sum over tiles of (A dy A^T) (B^T d B) ] G, the transposes of the forward
// transforms (winograd_cpu.cpp). For each of the 36 transformed values the sum over tiles is a matrix product,
// [O, tiles] [tiles, C]:
//
//   gradients  [36][tiles, O]   read as the transposed matrix that they are
//   samples    [36][tiles, C]   a panel of columns is copied for the micro-kernel where it is read, O / 14 times, more
//                               than four times
//   sums       [36][rows, columns] of [O, C], transformed to 3x3 at once
//
// Few channels: all sums fit into the second-level cache. A task is a part of the tiles, taken a block at a time whose
// transformed values fit beside them; the parts' gradients are added in order.
// Many channels: tiles are transformed in groups, of 16 MiB or 64 tiles; a task is a block of sums, over all tiles of
// the group. Writing all sums to memory first is slower, and for 1280 channels they would take 236 MB. Parts and groups
// depend on sizes alone: same bits for any number of threads, and on AVX2 and AVX-512.

#include <algorithm>

#include "engine/ops/conv/scratch.h"
#include "engine/ops/conv/winograd.h"
#include "engine/ops/conv/winograd_tiles.h"
#include "engine/parallel.h"

namespace plumb {
namespace {

constexpr int64_t kDepth = 128;        // of a chain of sums, as forward
constexpr int64_t kFewSums = 64 * 80;  // O * C: 0.7 MB
constexpr int64_t kBlockTiles = 32;    // with few channels
constexpr int64_t kPartTiles = 4 * kBlockTiles, kMostParts = 16;
constexpr int64_t kGroupElements = int64_t(1) << 22;
constexpr int64_t kLeastGroup = 64;                    // tiles, so that adding up is a small part
constexpr int64_t kTaskRows = 112, kTaskColumns = 64;  // of sums, with many channels
constexpr int64_t kGrain = 8;                          // tiles transformed in a task
constexpr int64_t kUncopied = 4;                       // readings of a panel that do not repay a copy

struct Range {
  int64_t begin, end;
  int64_t size() const { return end - begin; }
};

/// Equal parts of [0, count), of at most `most`.
struct Parts {
  int64_t total, count, each;

  Parts(int64_t total_count, int64_t most)
      : total(total_count), count(ceil_div(total_count, most)), each(ceil_div(total_count, count)) {}
  Range operator[](int64_t i) const { return {std::min(total, i * each), std::min(total, (i + 1) * each)}; }
};

class WinogradWeight {
 public:
  WinogradWeight(const Kernels& isa, const TiledPictures& x, const Size2d& padding, const TiledPictures& grad)
      : isa_(isa), x_(x), padding_(padding), grad_(grad), in_(x.channels()), out_(grad.channels()) {}

  void run(const float* grad, const float* x, float* grad_weight) const {
    if (in_ * out_ <= kFewSums) return by_tiles(grad, x, grad_weight);
    by_sums(grad, x, grad_weight);
  }

 private:
  /// Transformed values of some tiles, or sums of their products.
  struct Values {
    float* data;
    const WinogradLayout& layout;
  };

  void by_tiles(const float* grad, const float* x, float* grad_weight) const {
    const Parts parts(x_.count(), std::max(kPartTiles, ceil_div(x_.count(), kMostParts)));
    const int64_t size = out_ * 9 * in_;
    Scratch<float> others((parts.count - 1) * size);
    const auto of_part = [&](int64_t p) { return p == 0 ? grad_weight : others.data() + (p - 1) * size; };
    parallel_for(parts.count, 1, [&](int64_t begin, int64_t end) {
      const WinogradLayout a(kBlockTiles, out_), b(kBlockTiles, in_), c(out_, in_);
      Scratch<float> gradients(a.elements()), samples(b.elements()), sums(c.elements());
      for (int64_t p = begin; p < end; ++p) {
        const Range part = parts[p];
        for (int64_t t = part.begin; t < part.end; t += kBlockTiles) {
          const Range tiles{t, std::min(part.end, t + kBlockTiles)};
          transform(grad, x, tiles, {gradients.data(), a}, {samples.data(), b});
          multiply({gradients.data(), a}, {samples.data(), b}, tiles.size(), {0, out_, 0, in_, t > part.begin},
                   {sums.data(), c});
        }
        transform_sums({sums.data(), c}, {0, out_, 0, in_, false}, of_part(p));
      }
    });
    for (int64_t p = 1; p < parts.count; ++p) {
      const float* more = of_part(p);
      for (int64_t i = 0; i < size; ++i) grad_weight[i] += more[i];
    }
  }

  void by_sums(const float* grad, const float* x, float* grad_weight) const {
    const Parts groups(x_.count(), std::max(kLeastGroup, kGroupElements / (kWinogradValues * (in_ + out_))));
    const Parts rows(out_, kTaskRows), columns(in_, kTaskColumns);
    const WinogradLayout a(groups.each, out_), b(groups.each, in_), c(rows.each, columns.each);
    Scratch<float> gradients(a.elements()), samples(b.elements());
    for (int64_t g = 0; g < groups.count; ++g) {
      const Range group = groups[g];
      parallel_for(group.size(), kGrain, [&](int64_t begin, int64_t end) {
        transform(grad, x, {group.begin + begin, group.begin + end}, {gradients.data() + begin * a.row, a},
                  {samples.data() + begin * b.row, b});
      });
      parallel_for(rows.count * columns.count, 1, [&](int64_t begin, int64_t end) {
        Scratch<float> sums(c.elements());
        for (int64_t task = begin; task < end; ++task) {
          const Range down = rows[task / columns.count], across = columns[task % columns.count];
          Block block{down.begin, down.end, across.begin, across.end, false};
          multiply({gradients.data(), a}, {samples.data(), b}, group.size(), block, {sums.data(), c});
          block.add = g > 0;
          transform_sums({sums.data(), c}, block, grad_weight);
        }
      });
    }
  }

  void transform(const float* grad, const float* x, const Range& tiles, const Values& gradients,
                 const Values& samples) const {
    const float* from[kWinogradValues];
    for (int64_t t = tiles.begin; t < tiles.end; ++t) {
      const int64_t i = t - tiles.begin;
      grad_.samples<kWinogradResults>(grad, t, {}, from);
      isa_.winograd.gradient(from, gradients.data + i * gradients.layout.row, gradients.layout.step, out_);
      x_.samples<kWinogradSamples>(x, t, padding_, from);
      isa_.winograd.input(from, samples.data + i * samples.layout.row, samples.layout.step, in_);
    }
  }

  /// Of [O, C]; add: to what is there already.
  struct Block {
    int64_t row, row_end, column, column_end;
    bool add;
  };

  /// sums (+)= gradients^T samples, for all 36.
  void multiply(const Values& gradients, const Values& samples, int64_t tiles, const Block& block,
                const Values& sums) const {
    const int64_t width = isa_.gemm.tile_columns, part = Parts(tiles, kDepth).each;
    const bool copied = block.row_end - block.row > kUncopied * isa_.gemm.tile_rows;
    Scratch<float> panel(copied ? part * width : 0);
    GemmTile t{};
    t.a_row = 1;
    t.a_step = gradients.layout.row;
    t.b_step = copied ? width : samples.layout.row;
    t.c_row = sums.layout.row;
    for (int64_t k = 0; k < kWinogradValues; ++k)
      for (int64_t j = block.column; j < block.column_end; j += width) {
        t.columns = std::min(width, block.column_end - j);
        for (int64_t d = 0; d < tiles; d += part) {
          t.depth = std::min(part, tiles - d);
          t.add = block.add || d > 0;
          t.b = samples.data + k * samples.layout.step + d * samples.layout.row + j;
          if (copied) {
            copy_panel(t.b, samples.layout.row, t, panel.data());
            t.b = panel.data();
          }
          t.a = gradients.data + k * gradients.layout.step + d * gradients.layout.row + block.row;
          t.c = sums.data + k * sums.layout.step + j - block.column;
          multiply_panel(t, block.row_end - block.row);
        }
      }
  }

  static void copy_panel(const float* from, int64_t row, const GemmTile& t, float* panel) {
    for (int64_t i = 0; i < t.depth; ++i) std::copy_n(from + i * row, t.columns, panel + i * t.b_step);
  }

  /// Tiles of the product under each other, `height` rows in all.
  void multiply_panel(GemmTile t, int64_t height) const {
    const int64_t rows = Parts(height, isa_.gemm.tile_rows).each;
    for (int64_t o = 0; o < height; o += rows) {
      t.rows = std::min(rows, height - o);
      isa_.gemm.tile(t);
      t.a += rows;
      t.c += rows * t.c_row;
    }
  }

  void transform_sums(const Values& sums, const Block& block, float* grad_weight) const {
    for (int64_t o = block.row; o < block.row_end; ++o)
      isa_.winograd.kernel_gradient(sums.data + (o - block.row) * sums.layout.row, sums.layout.step,
                                    grad_weight + o * 9 * in_ + block.column, in_, block.column_end - block.column,
                                    block.add);
  }

  const Kernels& isa_;
  const TiledPictures& x_;
  const Size2d padding_;
  const TiledPictures& grad_;
  const int64_t in_, out_;
};

}  // namespace

void winograd_backward_weight(const Kernels& isa, const ConvGeometry& g, const float* grad, const float* x,
                              float* grad_weight) {
  const TiledPictures samples(g.batch, g.output, g.input, g.in_channels);
  const TiledPictures gradients(g.batch, g.output, g.output, g.out_channels);
  WinogradWeight(isa, samples, g.options.padding, gradients).run(grad, x, grad_weight);
}

}  // namespace plumb
