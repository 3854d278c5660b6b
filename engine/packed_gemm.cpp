// The loops around the micro-kernel (engine/isa/gemm.cpp), after Goto and van de Geijn, "Anatomy of High-Performance
// Matrix Multiplication" (2008):
//
//   strip of columns of c   its part of b is packed once, into panels as wide as a tile: kStripBytes at most
//     task: block of c      rows x columns, on the pool
//       block of depth      so that a panel of b stays in the first-level cache under all tiles of the task
//         panel, then tile  the micro-kernel
//
// A tile reads a where it lies, except when its rows are a multiple of 2 KiB apart: they would evict each other from
// the first-level cache. Packing a in every case was tried and is slower at every width.

#include "engine/packed_gemm.h"

#include <algorithm>

#include "engine/ceil_div.h"
#include "engine/parallel.h"
#include "engine/tensor.h"

namespace plumb {
namespace {

constexpr int64_t kDepth = 256;              // of a block: a panel of 32 columns is 32 KiB
constexpr int64_t kStripElements = 1 << 20;  // of packed b: 4 MiB
constexpr int64_t kTaskRows = 280;           // about; times kDepth it is half of a second-level cache of 512 KiB
constexpr int64_t kTaskColumns = 512;
// A task should be worth waking a thread for: 2^22 multiply-adds are 50 us.
constexpr int64_t kTaskWork = int64_t(1) << 22;
constexpr int64_t kConflict = 512;  // elements: 2 KiB
constexpr int64_t kUnpackedTiles = 40;
constexpr int64_t kPackGrain = int64_t(1) << 17;  // elements
constexpr int64_t kSlack = 8;                     // pack_transposed may write beyond a panel of odd width

class Product {
 public:
  /// b and panels are one matrix; panels may be null.
  Product(const GemmKernels& kernels, const GemmSize& size, const MatrixView<float>& a, const MatrixView<float>& b,
          const float* panels, const GemmTarget<float>& c)
      : kernels_(kernels), size_(size), a_(a), b_(b), panels_(panels), c_(c) {
    depth_ = ceil_div(size.k, ceil_div(size.k, kDepth));
    packs_a_ = !a.transposed && size.m > 1 && a.ld % kConflict == 0;
    // As few tiles as need be, of even height: 16 rows are 8 + 8, not 14 + 2.
    tile_rows_ = ceil_div(size.m, ceil_div(size.m, kernels.tile_rows));
    // Up to a few hundred rows the packing is not repaid: b streams from the second-level cache instead.
    packs_b_ = panels || b.transposed || size.m > kUnpackedTiles * kernels.tile_rows;
  }

  void run() {
    const int64_t width = kernels_.tile_columns;
    const int64_t strip = std::max<int64_t>(1, kStripElements / size_.k / width) * width;
    for (int64_t column = 0; column < size_.n; column += strip) run_strip(column, std::min(strip, size_.n - column));
  }

 private:
  const float* b_at(int64_t k, int64_t j) const { return b_.data + (b_.transposed ? j * b_.ld + k : k * b_.ld + j); }

  void run_strip(int64_t column, int64_t columns) {
    const int64_t width = kernels_.tile_columns, panels = ceil_div(columns, width);
    // Without packing only the last panel, if it is narrow, is copied.
    const int64_t first_packed = packs_b_ ? 0 : columns / width;
    Tensor packed;
    if (!panels_ && first_packed < panels) {
      packed = empty({(panels - first_packed) * width * size_.k});
      pack_columns(kernels_, b_, size_.k, {column + first_packed * width, column + columns},
                   packed.mutable_data<float>());
    }
    const Strip strip{column, columns, first_packed,
                      panels_            ? panels_ + column * size_.k
                      : packed.defined() ? packed.data<float>()
                                         : nullptr};
    const int64_t rows = task_rows(columns), across = task_columns(columns);
    const int64_t tasks_across = ceil_div(columns, across);
    parallel_for(tasks_across * ceil_div(size_.m, rows), 1, [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task) {
        const int64_t row = task / tasks_across * rows, first = task % tasks_across * across;
        run_block(strip, {row, std::min(rows, size_.m - row), first, std::min(across, columns - first)});
      }
    });
  }

  struct Strip {
    int64_t column, columns;
    int64_t first_packed;  // panels before it are read where they lie
    const float* packed;
  };
  struct Block {
    int64_t row, rows;
    int64_t column, columns;  // column within the strip
  };

  /// Multiples of a tile; large enough to be worth a task where c is.
  int64_t task_rows(int64_t columns) const {
    const int64_t tile = tile_rows_;
    const int64_t worth = ceil_div(kTaskWork, std::min(columns, kTaskColumns) * size_.k);
    return ceil_div(std::max(worth, kTaskRows), tile) * tile;
  }
  int64_t task_columns(int64_t columns) const {
    const int64_t worth = ceil_div(kTaskWork, std::min(size_.m, kTaskRows) * size_.k);
    const int64_t width = kernels_.tile_columns;
    return ceil_div(std::min(columns, std::max(worth, kTaskColumns)), width) * width;
  }

  void run_block(const Strip& strip, const Block& block) const {
    const int64_t tile = tile_rows_;
    Tensor packed_a;
    if (packs_a_) packed_a = empty({ceil_div(block.rows, tile) * tile * depth_ + kSlack}, DType::f32);
    for (int64_t k = 0; k < size_.k; k += depth_) {
      const int64_t depth = std::min(depth_, size_.k - k);
      float* rows = packs_a_ ? packed_a.mutable_data<float>() : nullptr;
      if (rows)
        for (int64_t i = 0; i < block.rows; i += tile)
          kernels_.pack_transposed(a_.data + (block.row + i) * a_.ld + k, a_.ld, std::min(tile, block.rows - i), depth,
                                   rows + i * depth, tile);
      run_depth(strip, block, {k, depth, rows});
    }
  }

  struct DepthBlock {
    int64_t k, depth;
    const float* packed_a;  // [tiles, depth, tile_rows]; null when a is read where it lies
  };

  void run_depth(const Strip& strip, const Block& block, const DepthBlock& part) const {
    const int64_t width = kernels_.tile_columns, tile = tile_rows_;
    GemmTile t{};
    t.c_row = c_.ld;
    t.depth = part.depth;
    t.add = part.k > 0;
    t.a_row = part.packed_a || a_.transposed ? 1 : a_.ld;
    t.a_step = part.packed_a ? tile : a_.transposed ? a_.ld : 1;
    const bool last = part.k + part.depth == size_.k;
    for (int64_t j = 0; j < block.columns; j += width) {
      const int64_t column = strip.column + block.column + j, panel = (block.column + j) / width;
      const bool in_place = panel < strip.first_packed;
      t.b = in_place ? b_at(part.k, column) : strip.packed + ((panel - strip.first_packed) * size_.k + part.k) * width;
      t.b_step = in_place ? b_.ld : width;
      t.columns = std::min(width, block.columns - j);
      t.bias = c_.bias && last ? c_.bias + column : nullptr;
      t.activation = last ? c_.activation : FusedActivation::none;
      for (int64_t i = 0; i < block.rows; i += tile) {
        const int64_t row = block.row + i;
        t.rows = std::min(tile, block.rows - i);
        t.c = c_.data + row * c_.ld + column;
        t.derivative = c_.derivative ? c_.derivative + row * c_.ld + column : nullptr;
        t.a = part.packed_a   ? part.packed_a + i * part.depth
              : a_.transposed ? a_.data + part.k * a_.ld + row
                              : a_.data + row * a_.ld + part.k;
        kernels_.tile(t);
      }
    }
  }

  const GemmKernels& kernels_;
  const GemmSize& size_;
  const MatrixView<float>& a_;
  const MatrixView<float>& b_;
  const float* panels_;  // of all of b, or null
  const GemmTarget<float>& c_;
  int64_t depth_ = 0, tile_rows_ = 0;
  bool packs_a_ = false, packs_b_ = false;
};

/// Columns [first, first + width) of b, all of its depth, zeros beyond `columns` of them.
void pack_panel(const GemmKernels& kernels, const MatrixView<float>& b, int64_t depth, int64_t first, int64_t columns,
                float* panel) {
  const int64_t width = kernels.tile_columns;
  if (b.transposed) return kernels.pack_transposed(b.data + first * b.ld, b.ld, columns, depth, panel, width);
  for (int64_t k = 0; k < depth; ++k) {
    const float* from = b.data + k * b.ld + first;
    float* to = panel + k * width;
    if (columns == width) {
      std::copy(from, from + width, to);
    } else {
      std::copy(from, from + columns, to);
      std::fill(to + columns, to + width, 0.0f);
    }
  }
}

}  // namespace

int64_t packed_elements(const GemmKernels& kernels, int64_t k, int64_t n) {
  return ceil_div(n, kernels.tile_columns) * kernels.tile_columns * k;
}

void pack_columns(const GemmKernels& kernels, const MatrixView<float>& b, int64_t k, const ColumnRange& columns,
                  float* panels) {
  const int64_t width = kernels.tile_columns;
  parallel_for(ceil_div(columns.end - columns.begin, width), std::max<int64_t>(1, kPackGrain / (width * k)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t p = begin; p < end; ++p) {
                   const int64_t first = columns.begin + p * width;
                   pack_panel(kernels, b, k, first, std::min(width, columns.end - first), panels + p * width * k);
                 }
               });
}

void packed_gemm(const GemmKernels& kernels, const GemmSize& size, const MatrixView<float>& a,
                 const MatrixView<float>& b, const GemmTarget<float>& c) {
  Product(kernels, size, a, b, nullptr, c).run();
}

void packed_gemm(const GemmKernels& kernels, const GemmSize& size, const MatrixView<float>& a, const PackedMatrix& b,
                 const GemmTarget<float>& c) {
  Product(kernels, size, a, MatrixView<float>(), b.panels(), c).run();
}

}  // namespace plumb
