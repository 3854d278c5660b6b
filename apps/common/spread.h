#pragma once

#include <vector>

namespace plumb {

/// One number of several runs.
struct Spread {
  std::vector<double> values;  ///< by run
  double mean() const;
  /// Standard deviation with n - 1 in the denominator; 0 for a single run.
  double deviation() const;
};

}  // namespace plumb
