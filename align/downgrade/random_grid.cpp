#include "align/downgrade/random_grid.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "engine/format.h"
#include "engine/ops/random/random.h"
#include "engine/parallel.h"
#include "engine/require.h"

namespace plumb {
namespace {

constexpr int64_t kTiles = 8;  // along each side

/// The tiles of one picture [C, H, W], as bytes.
class Grid {
 public:
  Grid(uint8_t* picture, const Shape& shape, int64_t element)
      : picture_(picture),
        channels_(shape[1]),
        height_(shape[2]),
        row_bytes_(shape[3] * element),
        rows_(std::min(kTiles, shape[2])),
        columns_(std::min(kTiles, shape[3])),
        tile_height_(shape[2] / std::max<int64_t>(rows_, 1)),
        tile_bytes_(shape[3] / std::max<int64_t>(columns_, 1) * element) {}

  int64_t tiles() const { return rows_ * columns_; }

  bool equal(int64_t a, int64_t b) const {
    return for_each_line(
        a, b, [&](const uint8_t* x, const uint8_t* y) { return std::memcmp(x, y, size_t(tile_bytes_)) == 0; });
  }
  void swap(int64_t a, int64_t b) {
    for_each_line(a, b, [&](uint8_t* x, uint8_t* y) {
      std::swap_ranges(x, x + tile_bytes_, y);
      return true;
    });
  }

 private:
  /// Calls f with matching lines of both tiles as long as it returns true; whether it always did.
  template <class F>
  bool for_each_line(int64_t a, int64_t b, F&& f) const {
    for (int64_t channel = 0; channel < channels_; ++channel)
      for (int64_t line = 0; line < tile_height_; ++line)
        if (!f(at(a, channel, line), at(b, channel, line))) return false;
    return true;
  }
  uint8_t* at(int64_t tile, int64_t channel, int64_t line) const {
    const int64_t row = tile / columns_ * tile_height_ + line;
    return picture_ + (channel * height_ + row) * row_bytes_ + tile % columns_ * tile_bytes_;
  }

  uint8_t* picture_;
  int64_t channels_, height_, row_bytes_, rows_, columns_, tile_height_, tile_bytes_;
};

/// Number of each tile's kind: the first tile equal to it.
std::vector<int64_t> kinds_of(const Grid& grid) {
  std::vector<int64_t> kinds(size_t(grid.tiles()));
  for (int64_t i = 0; i < grid.tiles(); ++i) {
    int64_t first = 0;
    while (first < i && (kinds[size_t(first)] != first || !grid.equal(first, i))) ++first;
    kinds[size_t(i)] = first;
  }
  return kinds;
}

void swap_two(Grid& grid, double draw) {
  const std::vector<int64_t> kinds = kinds_of(grid);
  std::vector<std::pair<int64_t, int64_t>> pairs;
  for (int64_t a = 0; a < grid.tiles(); ++a)
    for (int64_t b = a + 1; b < grid.tiles(); ++b)
      if (kinds[size_t(a)] != kinds[size_t(b)]) pairs.emplace_back(a, b);
  if (pairs.empty()) return;
  const auto [a, b] = pairs[size_t(draw * double(pairs.size()))];
  grid.swap(a, b);
}

}  // namespace

Tensor random_grid(const Tensor& images, const RandomKey& key) {
  require<ShapeError>(images.rank() == 4, "random_grid: pictures must be [N, C, H, W]; {}", images);
  Tensor result = images.device().is_cpu() ? images.clone() : images.to(kCpu);  // tiles are compared byte by byte
  if (result.numel() == 0) return result;
  const int64_t count = images.size(0), element = int64_t(size_of(images.dtype()));
  const int64_t bytes = result.numel() / count * element;
  const std::vector<double> draws = rand(key, {count, 1}, DType::f64).to_vector<double>();
  auto* data = static_cast<uint8_t*>(result.raw_mutable_data());
  parallel_for(count, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      Grid grid(data + i * bytes, images.shape(), element);
      swap_two(grid, draws[size_t(i)]);
    }
  });
  return result.to(images.device());
}

}  // namespace plumb
