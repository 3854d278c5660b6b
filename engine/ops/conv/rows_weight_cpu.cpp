// Gradient of the kernels as products on the pictures themselves: for every row u of the kernel
//
//   dw[o, u, (v, c)]  =  sum over results r  of  dy[r, o]  x[row of r + u, from r's column on: KW * C]
//
// The right-hand matrix overlaps itself as in rows_cpu.cpp: 32 of its columns for 256 results are copied, zeros outside
// the picture, to the panel that the micro-kernel reads, which is then multiplied by all of dy's columns, read where
// they lie. A task is some of these columns, over all results: a sum belongs to one task, which adds the chains of
// 256 results in order, so bits do not depend on the number of threads, nor on AVX2 or AVX-512.
// Gathering whole patches and multiplying those was up to 13% slower (256 channels), and 5% faster for 320 channels at
// 64x64. Copying dy's part of a task into packed tiles was 5 to 15% slower, other depths and widths of a task no
// faster.

#include <algorithm>

#include "engine/ceil_div.h"
#include "engine/isa/kernels.h"
#include "engine/ops/conv/rows.h"
#include "engine/ops/conv/scratch.h"
#include "engine/parallel.h"

namespace plumb {
namespace {

constexpr int64_t kDepth = 256;     // results of a chain: a panel of 32 columns is 32 KiB
constexpr int64_t kTaskPanels = 4;  // for which a block of dy is read from the second-level cache
constexpr int64_t kLeastColumns = 16, kLeastRows = 4;

class RowsWeight {
 public:
  RowsWeight(const ConvGeometry& g, const float* grad, const float* x, float* grad_weight)
      : g_(g), grad_(grad), x_(x), grad_weight_(grad_weight), tile_(kernels().gemm) {}

  void run() const {
    const int64_t panels = ceil_div(columns(), tile_.tile_columns), tasks = ceil_div(panels, kTaskPanels);
    parallel_for(g_.kernel.height * tasks, 1, [&](int64_t begin, int64_t end) {
      Scratch<float> panel(kDepth * tile_.tile_columns);
      for (int64_t task = begin; task < end; ++task) {
        const int64_t first = task % tasks * kTaskPanels;
        run_task(task / tasks, first, std::min(panels, first + kTaskPanels), panel.data());
      }
    });
  }

 private:
  /// Of one row of the kernel.
  int64_t columns() const { return g_.kernel.width * g_.in_channels; }

  void run_task(int64_t u, int64_t first_panel, int64_t last_panel, float* panel) const {
    const int64_t results = g_.batch * g_.output.height * g_.output.width, width = tile_.tile_columns;
    const int64_t depth = ceil_div(results, ceil_div(results, kDepth));
    GemmTile t{};
    t.a_row = 1;
    t.a_step = g_.out_channels;
    t.b = panel;
    t.b_step = width;
    t.c_row = g_.kernel.height * columns();
    for (int64_t r = 0; r < results; r += depth) {
      t.depth = std::min(depth, results - r);
      t.add = r > 0;
      for (int64_t p = first_panel; p < last_panel; ++p) {
        t.columns = std::min(width, columns() - p * width);
        copy_panel(r, t.depth, {u, p * width, t.columns}, panel);
        multiply(t, grad_ + r * g_.out_channels, grad_weight_ + u * columns() + p * width);
      }
    }
  }

  void multiply(GemmTile& t, const float* grad, float* sums) const {
    const int64_t out = g_.out_channels, rows = ceil_div(out, ceil_div(out, tile_.tile_rows));
    for (int64_t o = 0; o < out; o += rows) {
      t.rows = std::min(rows, out - o);
      t.a = grad + o;
      t.c = sums + o * t.c_row;
      tile_.tile(t);
    }
  }

  /// Columns [first, first + count) of row u of the kernel.
  struct Columns {
    int64_t u, first, count;
  };

  /// What results [r, r + count) read in those columns.
  void copy_panel(int64_t r, int64_t count, const Columns& part, float* panel) const {
    const int64_t width = tile_.tile_columns, length = g_.input.width * g_.in_channels;
    const Conv2dOptions& o = g_.options;
    int64_t j = r % g_.output.width, i = r / g_.output.width % g_.output.height;
    int64_t n = r / g_.output.width / g_.output.height;
    for (int64_t k = 0; k < count; ++k, panel += width) {
      const int64_t row = i * o.stride.height - o.padding.height + part.u * o.dilation.height;
      const int64_t start = (j * o.stride.width - o.padding.width) * g_.in_channels + part.first;
      const bool inside = row >= 0 && row < g_.input.height;
      const float* from = x_ + (n * g_.input.height + row) * length;
      if (inside && start >= 0 && start + part.count <= length)
        std::copy_n(from + start, part.count, panel);
      else
        copy_edge(inside ? from : nullptr, start, part.count, panel);
      if (++j < g_.output.width) continue;
      j = 0;
      if (++i < g_.output.height) continue;
      i = 0;
      ++n;
    }
  }

  /// Elements [start, start + count) of a row of a picture, zeros beyond its ends; a null row is all zeros.
  void copy_edge(const float* row, int64_t start, int64_t count, float* to) const {
    const int64_t length = row ? g_.input.width * g_.in_channels : 0;
    const int64_t first = std::clamp<int64_t>(-start, 0, count), last = std::clamp(length - start, first, count);
    std::fill_n(to, first, 0.0f);
    if (last > first) std::copy(row + start + first, row + start + last, to + first);
    std::fill(to + last, to + count, 0.0f);
  }

  const ConvGeometry& g_;
  const float* grad_;
  const float* x_;
  float* grad_weight_;
  const GemmKernels& tile_;
};

}  // namespace

bool rows_fit_backward_weight(const ConvGeometry& g) {
  const bool is_product = g.kernel == Size2d{1, 1} && g.options.stride == Size2d{1, 1};  // gemm does that at once
  return kernels().gemm.tile && !is_product && g.options.groups == 1 && g.options.dilation.width == 1 &&
         g.kernel.width * g.in_channels >= kLeastColumns && g.out_channels >= kLeastRows;
}

void rows_backward_weight(const ConvGeometry& g, const float* grad, const float* x, float* grad_weight) {
  RowsWeight(g, grad, x, grad_weight).run();
}

}  // namespace plumb
