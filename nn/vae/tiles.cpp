#include "nn/vae/tiles.h"

#include <algorithm>
#include <vector>

#include "autograd/ops/elementwise.h"
#include "autograd/ops/layout.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// `tile` with its first rows (dim 2) or columns (dim 3) fading from the last ones of `before`.
Variable blend(const Variable& before, const Variable& tile, int64_t extent, int64_t dim) {
  extent = std::min({extent, before.size(dim), tile.size(dim)});
  if (extent == 0) return tile;
  std::vector<double> weights;
  for (int64_t i = 0; i < extent; ++i) weights.push_back(double(i) / double(extent));
  const Shape shape = dim == 2 ? Shape{extent, 1} : Shape{1, extent};
  const Variable share = from_vector(weights, shape).to(tile.dtype()).to(tile.device());
  for (double& weight : weights) weight = 1 - weight;
  const Variable rest = from_vector(weights, shape).to(tile.dtype()).to(tile.device());
  const Variable fading = slice(before, dim, before.size(dim) - extent) * rest + slice(tile, dim, 0, extent) * share;
  return extent == tile.size(dim) ? fading : cat({fading, slice(tile, dim, extent)}, dim);
}

}  // namespace

Variable map_tiles(const Variable& x, const TilePlan& plan, const std::function<Variable(const Variable&)>& network) {
  require<ValueError>(plan.size >= 1 && plan.step >= 1 && plan.keep >= 1 && plan.blend >= 0,
                      "tiles: too small to overlap; size {}, step {}, blend {}, keep {}", plan.size, plan.step,
                      plan.blend, plan.keep);
  std::vector<Variable> above, bands;
  for (int64_t top = 0; top < x.size(2); top += plan.step) {
    std::vector<Variable> row, kept;
    for (int64_t left = 0; left < x.size(3); left += plan.step) {
      Variable tile = network(slice(slice(x, 2, top, top + plan.size), 3, left, left + plan.size));
      if (!above.empty()) tile = blend(above[row.size()], tile, plan.blend, 2);
      if (!row.empty()) tile = blend(row.back(), tile, plan.blend, 3);
      row.push_back(tile);
      kept.push_back(slice(slice(tile, 2, 0, plan.keep), 3, 0, plan.keep));
    }
    bands.push_back(cat(kept, 3));
    above = std::move(row);
  }
  return cat(bands, 2);
}

}  // namespace plumb
