#include "apps/common/spread.h"

#include <cmath>
#include <numeric>

namespace plumb {

double Spread::mean() const { return std::accumulate(values.begin(), values.end(), 0.0) / double(values.size()); }

double Spread::deviation() const {
  if (values.size() < 2) return 0;
  double square = 0;
  for (double value : values) square += (value - mean()) * (value - mean());
  return std::sqrt(square / double(values.size() - 1));
}

}  // namespace plumb
