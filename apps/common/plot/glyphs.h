#pragma once

#include <cstdint>

namespace plumb::plot {

/// A character as a pen path on a grid: baseline 0, x-height 10, capitals 14, descenders -4.4, y upwards. Commands:
/// Mx y moves, Lx y draws a line, Qcx cy x y a quadratic curve, and two quarter ellipses from here to (x, y): hx y sets
/// off horizontally and arrives vertically, vx y sets off vertically and arrives horizontally.
struct Glyph {
  double width;
  const char* path;
};

/// The glyph of a Unicode code point; "?" when there is none.
const Glyph& glyph_of(uint32_t code_point);

}  // namespace plumb::plot
