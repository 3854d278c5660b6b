#pragma once

#include <memory>

#include "align/objective.h"

// Self-DPO: Diffusion-DPO against degraded copies of the winners, beside the denoising loss.
//   the Self-DPO paper (SUDO), Sec. 3.2, Eq. 9.
//
//   z = -(beta / 2) ((ew - el) - (rw - rl))
//   L = lambda1 mean(ew) + lambda2 mean(-log sigmoid(z))
//
//   symbol   shape   meaning
//   ew, el   [B]     student's error on winners and on their degraded copies   differentiated
//   rw, rl   [B]     frozen reference's error                                  detached
//   lambda1          weight of the denoising loss (1/2)
//   lambda2          weight of the preference loss (1/2)
//   beta             multiplies a MEAN over elements (5000); the paper's C = -2500 is -beta / 2
//
// The losers are the caller's: x0_l = Downgrade(x0_w), made fresh each step. Sign: z > 0 when the pair is ordered
// rightly. lambda1 = 0, lambda2 = 1 is Diffusion-DPO; at student = reference L = lambda1 mean(ew) + lambda2 log 2.

namespace plumb {

struct SelfDpoOptions {
  double beta = 5000;
  double lambda1 = 0.5;
  double lambda2 = 0.5;
  Reduction reduction = Reduction::mean;
};

std::unique_ptr<Objective> make_self_dpo(const SelfDpoOptions& options);
/// Keys: beta, lambda1, lambda2, reduction. Throws ValueError.
std::unique_ptr<Objective> make_self_dpo(const ObjectiveSettings& settings);

}  // namespace plumb
