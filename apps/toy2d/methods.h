#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "align/data_driven_pair.h"
#include "align/objective.h"
#include "align/reference_update.h"
#include "align/reward_scale.h"
#include "align/timestep_sampler.h"
#include "apps/common/cli.h"

namespace plumb::toy2d {

/// Where a method's targets come from. training_free_swapped is a control: the winning branch sees c-, the losing c.
enum class PolicyKind { forward_process, training_free, training_free_swapped, data_driven, oracle };

/// Which c- the pairs carry. `same` and `unrelated` (a class that is no neighbour) are controls.
enum class NegativeKind { neighbor, same, unrelated };

/// How a method makes a batch out of the preference set.
/// `downgraded`: Self-DPO's losers, another winner of the batch under the same condition.
enum class PairKind { paired, rand_positive, not_paired, downgraded };

/// One row of the experiment: an objective with its policy pair and its fine-tuning settings.
struct Method {
  std::string name;       // of the command line and the files
  std::string label;      // of the figures
  std::string objective;  // of align/objective.h
  PolicyKind policy = PolicyKind::forward_process;
  PairKind pairs = PairKind::paired;
  NegativeKind negative = NegativeKind::neighbor;
  /// In the toy's units: z = -beta [...] on the sum over the two dimensions, so the objective's own beta is twice this.
  /// DSPO and its kin: the factor lambda, and half the temperature. Diffusion-KTO and MaPO (its b): unchanged.
  double beta = 1;
  double learning_rate = 3e-5;
  int64_t steps = 50;
  int64_t pairs_per_step = 64;
  std::optional<double> lambda = {};       ///< DSPO and its kin: apart from beta
  std::optional<double> temperature = {};  ///< DSPO, DSPO-ref: apart from beta, in the toy's units
  DataDrivenOptions adapters = {};         ///< of the data-driven policy pair
  TimestepSamplerOptions timesteps = {};
  RewardScale reward_scale = RewardScale::none;
  std::optional<ReferenceUpdateOptions> reference_update = {};
  ObjectiveSettings options = {};  ///< of the objective, beside those the toy sets
  bool degenerate = false;         ///< starts at a point its gradient never leaves; tables say so
  bool in_table = true;            ///< of the methods run when none are named
};

/// Every method there is, with the defaults of the experiment.
const std::vector<Method>& all_methods();

/// The method of that name. Throws ValueError.
const Method& method_named(std::string_view name);

/// The names of the methods that run when none are named.
std::vector<std::string> table_method_names();

/// The settings of the method's objective in the objective's own terms: the toy's logit has no 1/2 and sums over the
/// two dimensions (MaPO: mean).
ObjectiveSettings objective_settings(const Method& method);

/// Everything about a method that its results depend on, its steps excepted, as text.
std::string describe(const Method& method);

/// The methods called for: names, or "all", in the table's order, with `--set METHOD.key=value` applied. Rows that
/// every run has (kRowNames) may be named as well and add nothing. Throws UsageError naming the nearest method or key.
std::vector<Method> choose_methods(const std::vector<std::string>& names, const KeyValues& settings);

}  // namespace plumb::toy2d
