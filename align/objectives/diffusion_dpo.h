#pragma once

#include <memory>

#include "align/objective.h"

// Diffusion-DPO: make the student better than the reference on winners by more than on losers.
//   Wallace et al. 2024, "Diffusion Model Alignment Using Direct Preference Optimization", Eq. 14.
//
//   m = (ew - el) - (rw - rl)          margin
//   z = -(beta / 2) m                  logit
//   L = mean over pairs of  -log sigmoid(z)
//
//   symbol   shape   meaning
//   ew, el   [B]     student's error on winners, losers          differentiated
//   rw, rl   [B]     frozen reference's error                    detached
//   beta             strength of the KL term; multiplies a MEAN over elements (2000 … 5000 for Stable Diffusion)
//
// Sign: z > 0 when the pair is ordered rightly. The factor 1/2 is the released code's; diffusers' script leaves it out,
// so its 2500 is this 5000. At student = reference z = 0 and L = log 2.

namespace plumb {

struct DiffusionDpoOptions {
  double beta = 5000;
  Reduction reduction = Reduction::mean;
};

std::unique_ptr<Objective> make_diffusion_dpo(const DiffusionDpoOptions& options);
/// Keys: beta, reduction. Throws ValueError.
std::unique_ptr<Objective> make_diffusion_dpo(const ObjectiveSettings& settings);

}  // namespace plumb
