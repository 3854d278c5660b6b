#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "apps/common/cli.h"

namespace plumb::toy2d {

/// Where a method's targets come from.
enum class PolicyKind { forward_process, training_free, oracle };

/// How a method makes a batch out of the preference set.
enum class PairKind { paired, rand_positive, not_paired };

/// One row of the experiment: an objective with its policy pair and its fine-tuning settings.
struct Method {
  std::string name;       // of the command line and the files
  std::string label;      // of the figures
  std::string objective;  // of align/objective.h
  PolicyKind policy = PolicyKind::forward_process;
  PairKind pairs = PairKind::paired;
  /// In the toy's units: z = -beta [...] on the sum over the two dimensions, so the objective's own beta is twice this.
  double beta = 1;
  double learning_rate = 3e-5;
  int64_t steps = 50;
  int64_t pairs_per_step = 64;
};

/// Every method there is, with the defaults of the experiment.
const std::vector<Method>& all_methods();

/// The methods called for: names, or "all", in the table's order, with `--set METHOD.key=value` applied (keys beta, lr,
/// steps, pairs_per_step). Throws UsageError naming the nearest method or key.
std::vector<Method> choose_methods(const std::vector<std::string>& names, const KeyValues& settings);

}  // namespace plumb::toy2d
