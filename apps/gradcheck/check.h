#pragma once

#include <string>
#include <string_view>

#include "align/objective.h"
#include "autograd/gradcheck.h"
#include "engine/random/random_key.h"

namespace plumb {

/// What the cases of one op or objective gave.
struct GradientVerdict {
  std::string name;
  bool has_gradient = true;  ///< false: integers or truth values come out, and there is nothing to check
  bool passed = true;
  int64_t cases = 0;
  int64_t elements = 0;  ///< derivatives compared
  /// The element with the largest error for what is allowed, as "case/input[index]"; empty when there was none.
  std::string worst = {};
  double analytic = 0, numeric = 0;
  double ratio = 0;         ///< |analytic - numeric| / allowed there; passes up to 1
  std::string report = {};  ///< of the cases that failed
};

/// Checks an op of the conformance table on its cases. Throws UsageError for an op without any.
GradientVerdict check_op(std::string_view name, const RandomKey& key);

/// Checks an objective through a network of one hidden layer, in all its weights.
GradientVerdict check_objective(std::string_view name, const ObjectiveSettings& settings, const RandomKey& key);

}  // namespace plumb
