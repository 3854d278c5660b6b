#pragma once

#include <string>

#include "apps/common/plot/scene.h"

namespace plumb::plot {

/// The scene as SVG text. Coordinates have one decimal; the dots of a shape are one path. When the picture has more
/// than kMostDots an even selection of them is drawn, so that 100,000 points stay a few hundred kilobytes.
std::string to_svg(const Scene& scene);

inline constexpr std::size_t kMostDots = 36000;

}  // namespace plumb::plot
