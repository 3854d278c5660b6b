#pragma once

#include <string>
#include <vector>

#include "apps/pairs/settings.h"

namespace plumb {

/// One pair before it is drawn.
struct PlannedPair {
  std::string id;                      ///< its number
  std::string prompt;                  ///< c
  std::vector<std::string> negatives;  ///< versions of c-, that of the loser first; empty without a perturbation
  int64_t seed = 0;                    ///< of the noise both begin from
};

struct PlannedPairs {
  std::vector<PlannedPair> pairs;
  int64_t left_out = 0;      ///< prompts without a degraded version
  std::string prompts_hash;  ///< of prompts and their degraded versions: what the pairs are made from
};

/// Pair i has the prompt i, begun again behind the last; its c- is drawn among that prompt's versions, and its seed is
/// --seed + i. So pairs do not depend on how many there are. Prompts that cannot be degraded are passed over. Throws
/// UsageError when none is left, for lines that hold more than a prompt, and for losers without a perturbation; what
/// reading prompts and rewrites throws.
PlannedPairs plan_pairs(const PairsSettings& settings);

}  // namespace plumb
