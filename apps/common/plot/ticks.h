#pragma once

#include <string>
#include <vector>

namespace plumb::plot {

struct Tick {
  double value;
  std::string text;
};

/// Multiples of 1, 2 or 5 times a power of ten inside [low, high], about `wanted` of them, all with the same number of
/// decimals. Large and small values get a power of ten ("2e+06").
std::vector<Tick> linear_ticks(double low, double high, int wanted);

/// Powers of ten inside [low, high], thinned to about `wanted`; with 2 and 5 between them when there are fewer than
/// three. low > 0.
std::vector<Tick> log_ticks(double low, double high, int wanted);

}  // namespace plumb::plot
