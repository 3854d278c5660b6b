#pragma once

#include <memory>

#include "align/objective.h"

// DSPO-E: DSPO without the preference probability (the DSPO paper, Eq. 45).
//
//   L = mean over winners of  e(pred_w - lambda gamma (pred_w - ref_w), target_w)
//
//   symbol        shape    meaning
//   pred_w        [B, …]   student's prediction on winners   differentiated
//   ref_w         [B, …]   frozen reference's                detached
//   target_w      [B, …]   what the network regresses        detached
//   lambda, gamma          factors (beta and 1)
//   beta                   default of lambda (0.001)
//   reduction              mean, or sum over the elements of a sample (then mean over samples)
//
// Needs no pairs: losers are not evaluated and there is no logit. lambda = 0 is SFT.

namespace plumb {

struct DspoEOptions {
  double lambda = 0.001;
  double gamma = 1;
  Reduction reduction = Reduction::mean;
};

std::unique_ptr<Objective> make_dspo_e(const DspoEOptions& options);
/// Keys: beta, lambda, gamma, reduction. Throws ValueError.
std::unique_ptr<Objective> make_dspo_e(const ObjectiveSettings& settings);

}  // namespace plumb
