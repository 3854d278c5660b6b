#pragma once

#include <string>

#include "apps/common/plot/figure.h"
#include "engine/io/png.h"

namespace plumb::plot {

/// Writes STEM.svg and STEM.png (`scale` pixels a unit, with `text` stored in it), each atomically. Throws IoError and
/// what layout() and encode_png() throw.
void save(const Figure& figure, const std::string& stem, double scale = 2, const PngText& text = {});

}  // namespace plumb::plot
