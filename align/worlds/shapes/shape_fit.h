#pragma once

#include "align/worlds/shapes/render.h"

// The second half of the analyser: which shape a patch of coverage is.

namespace plumb::shapes {

/// Coverage that was measured; pixels that belong to other objects have weight 0.
struct Patch {
  Coverage coverage = {};
  std::vector<bool> counts = {};
};

/// The best drawing of one shape.
struct ShapeFit {
  Object object = {};  ///< its hue is not set
  double blur = 0;
  double strength = 1;  ///< factor on the drawing: less than 1 when the object is paler than its colour
  double misfit = 1;    ///< sum of squared differences over the sum of squares of what was measured
};

/// Fits a shape to a patch: area and centre of mass, which blur does not change, give size and place; blur is the best
/// of a short list up to `most_blur`. The patch must have a positive sum.
ShapeFit fit_shape(ShapeKind shape, const Patch& patch, double most_blur);

/// The same fit with size, place and blur improved until steps of a few hundredths of a pixel no longer help.
ShapeFit refined(ShapeFit fit, const Patch& patch);

}  // namespace plumb::shapes
