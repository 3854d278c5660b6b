#pragma once

#include <memory>

#include "align/preference_weight.h"

// DSPO: Direct Score Preference Optimization; the score of the winners shifted towards what is preferred.
//   the DSPO paper, Sec. 4, Eqs. 11 and 23; defaults are the released code's.
//
//   z = -(temperature / 2) ((ew - el) - (rw - rl))
//   L = mean over pairs of  e(pred_w - lambda gamma (1 - sigmoid(z)) (pred_w - ref_w), target_w)
//
//   symbol        shape    meaning
//   pred_w        [B, …]   student's prediction on winners                      differentiated
//   ref_w         [B, …]   frozen reference's                                   detached
//   ew, el        [B]      student's error on winners, losers                   differentiated: the gradient also flows
//                          through sigmoid(z), unless detach_weight
//   rw, rl        [B]      frozen reference's error                             detached
//   lambda, gamma          factors outside (beta and 1)
//   temperature            beta inside z; multiplies a MEAN over elements (beta)
//   beta                   default of lambda and temperature (0.001)
//   time_weights           none; paper = z is multiplied by beta_t / ((1 - abar_{t-1}) alpha_t) of the pair's t, with
//                          1 - abar_{-1} raised to beta_0
//   reduction              mean, or sum over the elements of a sample (then mean over samples)
//
// Sign: z > 0 when the pair is ordered rightly; the shift then fades. lambda = 0 is SFT, and at beta = 0.001 the
// gradient is SFT's to about 0.1%. At student = reference L is SFT's value.

namespace plumb {

std::unique_ptr<Objective> make_dspo(const DspoOptions& options);
/// Keys: those of read_dspo_options. Throws ValueError.
std::unique_ptr<Objective> make_dspo(const ObjectiveSettings& settings);

}  // namespace plumb
