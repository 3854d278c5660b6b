#pragma once

#include <string_view>
#include <vector>

#include "apps/common/plot/scene.h"

// A stroke font of our own: ASCII and a few signs (± × · σ β ε −), drawn as centre lines. Anything else is a "?".

namespace plumb::plot {

/// Width of the text in pixels at this size.
double text_width(std::string_view text, double size, bool bold = false);

/// Thickness of the strokes at this size.
double text_stroke_width(double size, bool bold);

/// The centre lines of the text with its anchor at (0, 0) on the baseline, y downwards. Heights are rounded to whole
/// pixels, so that horizontal strokes are sharp when the baseline is on the centre of a row.
std::vector<std::vector<Point>> text_strokes(std::string_view text, double size, Anchor anchor, bool bold);

}  // namespace plumb::plot
