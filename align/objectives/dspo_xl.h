#pragma once

#include <memory>

#include "align/objective.h"

// DSPO-XL: the preference probability alone, as used for SDXL (the DSPO paper, Eqs. 46-47).
//
//   z = -(beta / 2) ((ew - el) - (rw - rl))
//   L = mean over pairs of  (1 - sigmoid(z))^2                          while the student is near the reference
//   L = mean over pairs of  (1 - sigmoid(z))^2 e(pred_w, ref_w)         once mean((pred_w - ref_w)^2) >= 0.1
//
//   symbol   shape    meaning
//   pred_w   [B, …]   student's prediction on winners        differentiated
//   ref_w    [B, …]   frozen reference's                     detached
//   ew, el   [B]      student's error on winners, losers     differentiated
//   rw, rl   [B]      frozen reference's error               detached
//   beta              multiplies a MEAN over elements (5000; 1000 … 5000)
//
// The switch is the released code's and a statistic of the batch; it is a mean over elements whatever `reduction` is,
// and has no gradient. Sign: z > 0 when the pair is ordered rightly. At student = reference L = 1/4.

namespace plumb {

struct DspoXlOptions {
  double beta = 5000;
  Reduction reduction = Reduction::mean;
};

std::unique_ptr<Objective> make_dspo_xl(const DspoXlOptions& options);
/// Keys: beta, reduction. Throws ValueError.
std::unique_ptr<Objective> make_dspo_xl(const ObjectiveSettings& settings);

}  // namespace plumb
