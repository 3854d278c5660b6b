#pragma once

#include <string>
#include <vector>

#include "align/worlds/shapes/scene.h"
#include "engine/io/image.h"

namespace plumb::shapes {

/// What a picture holds.
struct Reading {
  bool readable = false;
  std::string problem = {};  ///< why it is not: ground, specks, color, size, shape, crowded, residual
  Scene scene = {};          ///< the objects from left to right; the ground without its pattern
  /// Root mean square of picture minus the scene drawn again, over pixels and channels; noise and dents. A pattern on
  /// the ground counts.
  double residual = 0;
  /// 1 - (rms of picture minus the scene drawn crisp) / (rms of the crisp scene minus its ground), at least 0: 1 for a
  /// clean crisp picture, less for blur, noise and wrong colours. 0 when unreadable or empty.
  double quality = 0;
  /// Of the object whose shape fits worst, or could not be told: misfit of the best shape, and of the next best.
  double misfit = 0, next_misfit = 0;
};

/// Reads a picture of the world exactly: ground by the median, objects as regions of one colour, size and place by
/// moments, shape and blur by drawing each candidate and comparing. What it is not sure of is unreadable, never a
/// guess. A picture of nothing but ground is readable and empty. Quality is blurry when the blur read is nearer to the
/// world's blurry pictures than to none. Throws ValueError for a picture of another size or of other than three
/// channels.
Reading analyse(const Image& image, const World& world);

/// {"objects": [{shape, color, x, y, radius}], "blur"} or {"problem", of shapes the "misfits"}.
Json to_json(const Reading& reading);

/// Whether two scenes hold the same: shapes, colours and sizes of objects at most `tolerance` pixels apart, and
/// quality.
bool same_content(const Scene& a, const Scene& b, const World& world, double tolerance = 2);

}  // namespace plumb::shapes
