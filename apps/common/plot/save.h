#pragma once

#include <string>

#include "apps/common/plot/figure.h"

namespace plumb::plot {

/// Writes STEM.svg and STEM.png (`scale` pixels a unit), each atomically. Throws IoError and what layout() throws.
void save(const Figure& figure, const std::string& stem, double scale = 2);

}  // namespace plumb::plot
