// The direct convolution as products on the pictures themselves. With channels innermost the samples of one row of the
// kernel, KW pixels of C channels, are neighbours in memory, and the samples of the next result of the row lie
// stride * C further on: rows of pictures are a left-hand matrix that overlaps itself. So nothing is gathered:
//
//   y[row of results, o]  =  sum over u of  x[row + u, from j on: KW * C]  weight[o, u, (v, c)]^T
//
// A task is some rows of results and some columns, about as many results as a product of matrices would take. Where the
// pictures are padded, the rows of x that it reads are first copied between zeros (a ninth of what gathering 3x3
// patches would write). A panel of kernels, packed once for all tasks, is used for all results of the task before the
// next one: it stays in the first-level cache.
//
// Every sum is one chain a part of a row of the kernel, added in order: same bits for any number of threads and on AVX2
// and AVX-512.

#include "engine/ops/conv/rows.h"

#include <algorithm>

#include "engine/ceil_div.h"
#include "engine/isa/kernels.h"
#include "engine/ops/conv/scratch.h"
#include "engine/packed_matrix.h"
#include "engine/parallel.h"

namespace plumb {
namespace {

constexpr int64_t kDepth = 256;        // of a chain: a panel of 32 columns is 32 KiB
constexpr int64_t kTaskResults = 448;  // about
constexpr int64_t kTaskColumns = 512;
constexpr int64_t kMostRows = 64;       // of results in a task
constexpr int64_t kConflict = 512;      // elements: rows so far apart evict each other from the first-level cache
constexpr int64_t kLeastAcross = 6;     // results in a row: a shorter tile waits for its own sums
constexpr int64_t kLeastChannels = 16;  // of a product

/// A convolution with one group and horizontal dilation 1.
struct RowsConv {
  int64_t batch;
  Size2d input, output, kernel, stride, padding;
  int64_t dilation;  // vertical
  int64_t in, out;
};

class Rows {
 public:
  /// panels: of the kernels, [ceil(out / width), KH * KW * in, width].
  Rows(const RowsConv& conv, const float* x, const float* panels, const float* bias, float* y)
      : conv_(conv), x_(x), panels_(panels), bias_(bias), y_(y), tile_(kernels().gemm) {
    padded_ = conv.padding.height > 0 || conv.padding.width > 0;
    pitch_ = (conv.input.width + (padded_ ? 2 * conv.padding.width : 0)) * conv.in;
    rows_ = std::clamp<int64_t>(kTaskResults / conv.output.width, 1, kMostRows);
  }

  void run() const {
    const int64_t rows = conv_.batch * conv_.output.height, down = ceil_div(rows, rows_);
    const int64_t across = ceil_div(conv_.out, kTaskColumns);
    parallel_for(down * across, 1, [&](int64_t begin, int64_t end) {
      // Pictures that a task meets share nothing: each adds the rows that a kernel sees beyond the strides.
      const int64_t read = rows_ * conv_.stride.height + (rows_ / conv_.output.height + 2) * read_rows();
      Scratch<float> copy(padded_ ? read * pitch_ : 0);
      for (int64_t task = begin; task < end; ++task) {
        const int64_t row = task / across * rows_, column = task % across * kTaskColumns;
        run_task({row, std::min(rows, row + rows_), column, std::min(conv_.out, column + kTaskColumns)}, copy.data());
      }
    });
  }

 private:
  /// Of results: rows of all pictures, and channels.
  struct Task {
    int64_t row, row_end, column, column_end;
  };

  /// Rows of x that a row of results reads, from first to last.
  int64_t read_rows() const { return (conv_.kernel.height - 1) * conv_.dilation + 1; }

  void run_task(const Task& task, float* copy) const {
    const float* samples[kMostRows];  // where those of a row of results begin
    find_samples(task, copy, samples);
    const int64_t width = tile_.tile_columns, depth = conv_.kernel.width * conv_.in;
    const int64_t part = ceil_div(depth, ceil_div(depth, kDepth)), last = conv_.kernel.height * depth;
    GemmTile t{};
    t.a_row = conv_.stride.width * conv_.in;
    t.a_step = 1;
    t.b_step = width;
    t.c_row = conv_.out;
    for (int64_t column = task.column; column < task.column_end; column += width) {
      t.columns = std::min(width, task.column_end - column);
      for (int64_t u = 0; u < conv_.kernel.height; ++u)
        for (int64_t d = 0; d < depth; d += part) {
          t.depth = std::min(part, depth - d);
          t.add = u > 0 || d > 0;
          t.bias = bias_ && u * depth + d + t.depth == last ? bias_ + column : nullptr;
          t.b = panels_ + column * last + (u * depth + d) * width;
          for (int64_t row = task.row; row < task.row_end; ++row)
            multiply_row(t, samples[row - task.row] + u * conv_.dilation * pitch_ + d,
                         y_ + row * conv_.output.width * conv_.out + column);
        }
    }
  }

  void multiply_row(GemmTile& t, const float* samples, float* results) const {
    const int64_t across = conv_.output.width, rows = ceil_div(across, ceil_div(across, tile_.tile_rows));
    for (int64_t j = 0; j < across; j += rows) {
      t.rows = std::min(rows, across - j);
      t.a = samples + j * t.a_row;
      t.c = results + j * t.c_row;
      tile_.tile(t);
    }
  }

  /// Pictures as they lie, or copies of their rows between zeros. Rows of results of one picture share copies.
  void find_samples(const Task& task, float* copy, const float** samples) const {
    for (int64_t row = task.row; row < task.row_end;) {
      const int64_t picture = row / conv_.output.height, i = row % conv_.output.height;
      const int64_t count = std::min(task.row_end - row, conv_.output.height - i);
      const int64_t first = i * conv_.stride.height - conv_.padding.height;
      const int64_t read = (count - 1) * conv_.stride.height + read_rows();
      const float* x = x_ + picture * conv_.input.height * conv_.input.width * conv_.in;
      const float* from = x + first * pitch_;
      if (padded_) {
        from = copy;
        for (int64_t r = first; r < first + read; ++r, copy += pitch_) copy_row(x, r, copy);
      }
      for (int64_t r = 0; r < count; ++r) samples[row - task.row + r] = from + r * conv_.stride.height * pitch_;
      row += count;
    }
  }

  void copy_row(const float* x, int64_t row, float* to) const {
    if (row < 0 || row >= conv_.input.height) return void(std::fill_n(to, pitch_, 0.0f));
    const int64_t side = conv_.padding.width * conv_.in, samples = conv_.input.width * conv_.in;
    to = std::fill_n(to, side, 0.0f);
    to = std::copy_n(x + row * samples, samples, to);
    std::fill_n(to, side, 0.0f);
  }

  const RowsConv& conv_;
  const float* x_;
  const float* panels_;
  const float* bias_;
  float* y_;
  const GemmKernels& tile_;
  bool padded_ = false;
  int64_t pitch_ = 0;  // elements from a row of pictures, or of their copies, to the next
  int64_t rows_ = 0;   // of results in a task
};

RowsConv forward_conv(const ConvGeometry& g) {
  const Conv2dOptions& o = g.options;
  return {.batch = g.batch,
          .input = g.input,
          .output = g.output,
          .kernel = g.kernel,
          .stride = o.stride,
          .padding = o.padding,
          .dilation = o.dilation.height,
          .in = g.in_channels,
          .out = g.out_channels};
}

/// The gradient as pictures that are convolved with turned kernels.
RowsConv backward_conv(const ConvGeometry& g) {
  const Size2d full{(g.kernel.height - 1) * g.options.dilation.height, g.kernel.width - 1};
  return {.batch = g.batch,
          .input = g.output,
          .output = g.input,
          .kernel = g.kernel,
          .stride = {1, 1},
          .padding = {full.height - g.options.padding.height, full.width - g.options.padding.width},
          .dilation = g.options.dilation.height,
          .in = g.out_channels,
          .out = g.in_channels};
}

bool fits(const RowsConv& c) {
  const bool is_product = c.kernel == Size2d{1, 1} && c.stride == Size2d{1, 1};  // gemm does that at once
  return kernels().gemm.tile && !is_product && c.padding.height >= 0 && c.padding.width >= 0 &&
         std::min(c.in, c.out) >= kLeastChannels && c.output.width >= kLeastAcross &&
         c.stride.width * c.in % kConflict != 0;
}

/// Some columns of the kernels, turned by half a circle: [taps, O, width] from [O, taps, C], zeros beyond the last.
void turn_panel(const ConvGeometry& g, const float* weight, int64_t columns, float* panel, int64_t width) {
  const int64_t taps = g.kernel.height * g.kernel.width;
  for (int64_t tap = taps - 1; tap >= 0; --tap)
    for (int64_t o = 0; o < g.out_channels; ++o, panel += width) {
      std::copy_n(weight + (o * taps + tap) * g.in_channels, columns, panel);
      std::fill(panel + columns, panel + width, 0.0f);
    }
}

}  // namespace

bool rows_fit(const ConvGeometry& g) {
  return g.options.groups == 1 && g.options.dilation.width == 1 && fits(forward_conv(g));
}

bool rows_fit_backward_x(const ConvGeometry& g) {
  return g.options.groups == 1 && g.options.dilation.width == 1 && g.options.stride == Size2d{1, 1} &&
         fits(backward_conv(g));
}

void rows_forward(const ConvGeometry& g, const float* x, const float* weight, const float* bias, float* y) {
  const RowsConv conv = forward_conv(g);
  const int64_t depth = g.kernel.height * g.kernel.width * g.in_channels;
  const PackedMatrix kernels({weight, depth, true}, depth, g.out_channels);
  Rows(conv, x, kernels.panels(), bias, y).run();
}

void rows_backward_x(const ConvGeometry& g, const float* grad, const float* weight, float* grad_x) {
  const RowsConv conv = backward_conv(g);
  const int64_t width = kernels().gemm.tile_columns, taps = g.kernel.height * g.kernel.width;
  const int64_t panels = ceil_div(g.in_channels, width), depth = taps * g.out_channels;
  Scratch<float> bank(panels * depth * width);
  float* out = bank.data();
  parallel_for(panels, 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p)
      turn_panel(g, weight + p * width, std::min(width, g.in_channels - p * width), out + p * depth * width, width);
  });
  Rows(conv, grad, out, nullptr, grad_x).run();
}

}  // namespace plumb
