#pragma once

#include <functional>

#include "autograd/variable.h"

namespace plumb {

/// How a picture is cut into overlapping tiles that a network maps one by one, and how the results are joined.
struct TilePlan {
  int64_t size = 0;   ///< height and width of a tile that goes in; smaller at the right and bottom
  int64_t step = 0;   ///< from one tile to the next
  int64_t blend = 0;  ///< pixels of a result that fade from its neighbour's to its own, at its left and top
  int64_t keep = 0;   ///< height and width of a result that is used; the rest is blended into the next
};

/// x: [N, C, H, W]. Each result fades linearly into those above and to the left of it, which have themselves been
/// blended, as in diffusers' tiled_encode and tiled_decode. Differentiable. Two rows of results exist at a time, but
/// for what a graph keeps. Throws ValueError unless size, step and keep are positive and blend is not negative.
Variable map_tiles(const Variable& x, const TilePlan& plan, const std::function<Variable(const Variable&)>& network);

}  // namespace plumb
