#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "engine/io/json.h"

namespace plumb {

/// When a run is stopped for its own good. 0 switches a rule off.
struct HealthLimits {
  /// nan: so many steps in a row whose loss or gradient norm is not finite. The first of them already tells that
  /// something is wrong; a caller that allows more must drop those before.
  int64_t nan_steps = 1;
  /// collapse: mean error on winners (or on the training data) over mean error of the reference, both over the window.
  /// In the 2D world methods that stay sound end at 0.6 to 1.25 after 500 steps; those that run away pass 1.5 when
  /// their samples have shrunk to a fifth of the true spread, and 2 some fifty steps later.
  double collapse_factor = 2;
  /// spread: standard deviation of the model's samples over that of the reference's. Alignment narrows a distribution
  /// on purpose: in the 2D world to the clean share of the data, about 0.4, and with some methods to 0.15. Below 0.1 it
  /// is on its way to a point.
  double spread_share = 0.1;
  /// saturation: mean share of pairs with |z| > 10 over the window. Such a pair has less than 5e-5 of the largest
  /// gradient if it is ordered rightly, and pushes with a constant force whatever its error if not: with nine in ten
  /// the objective no longer looks at the pairs.
  double saturation_share = 0.9;
  /// Steps that collapse and saturation are averaged over. Shorter ones hear the noise of single batches.
  int64_t window = 50;
};

/// What one step tells. Empty members leave their rule without data.
struct HealthSample {
  int64_t step = 0;  ///< 1-based: this many steps are done when it is applied
  double loss = 0;
  double grad_norm = 0;
  std::optional<double> error = {};            ///< on winners, or on the training data
  std::optional<double> reference_error = {};  ///< what it is compared with; both or neither
  std::optional<double> saturated = {};        ///< share of pairs with |z| > 10
  std::optional<double> spread = {};           ///< of samples drawn now
  std::optional<double> reference_spread = {};
};

/// A rule that was broken.
struct HealthFinding {
  std::string rule;  ///< nan, collapse, spread, saturation
  int64_t step = 0;
  int64_t since = 0;  ///< from here to `step` each step broke it alone: the weights after since - 1 steps show it
  double value = 0, limit = 0;
  std::string message;  ///< one line naming rule, step, value and limit
};

/// Watches a run through the numbers of its steps. A pure function of what it was fed: the same run stops at the same
/// step however often it was interrupted, given that state() is kept with its checkpoints.
class HealthMonitor {
 public:
  /// Throws ValueError for a negative limit, a share above 1, or a window below 1.
  explicit HealthMonitor(const HealthLimits& limits);

  /// Whether loss and gradient norm are finite. A step that is not must not be applied.
  static bool is_finite(const HealthSample& sample);
  /// Takes in one step and returns the first rule it breaks, in the order nan, collapse, spread, saturation.
  std::optional<HealthFinding> check(const HealthSample& sample);

  /// Steps so far that were not finite.
  int64_t not_finite() const { return not_finite_; }
  Json state() const;
  /// Limits and window may differ from those of the monitor that gave the state. Throws ValueError when it is none.
  void restore(const Json& state);

 private:
  std::optional<HealthFinding> check_nan(const HealthSample& sample) const;
  std::optional<HealthFinding> check_collapse(const HealthSample& sample) const;
  std::optional<HealthFinding> check_spread(const HealthSample& sample) const;
  std::optional<HealthFinding> check_saturation(const HealthSample& sample) const;

  HealthLimits limits_;
  int64_t not_finite_ = 0, in_a_row_ = 0;
  std::deque<double> errors_, reference_errors_, saturated_;  // of the last `window` steps that were finite
};

}  // namespace plumb
