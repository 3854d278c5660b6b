#pragma once

#include <memory>

#include "align/objective.h"

// MaPO: preference as a difference of likelihood ratios of the student itself; no reference model.
//   Hong et al. 2024, "Margin-aware Preference Optimization for Aligning Diffusion Models without Reference".
//
//   phi(e) = u / expm1(u),  u = e / 2           in (0, 1], falling, phi(0) = 1
//   z      = T (phi(ew) - phi(el))              log-odds times T (and logit_scale, where given)
//   L      = mean(ew) - b mean(log sigmoid(z))
//
//   symbol   shape   meaning
//   ew, el   [B]     student's error on winners, losers     differentiated
//   T                timesteps of the schedule (ObjectiveInput::num_train_timesteps)
//   b                weight of the preference term (0.1)
//
// Nothing is detached. Sign: z > 0 when the winner's error is the smaller.

namespace plumb {

struct MapoOptions {
  double b = 0.1;
  Reduction reduction = Reduction::mean;
};

std::unique_ptr<Objective> make_mapo(const MapoOptions& options);
/// Keys: b, reduction. Throws ValueError.
std::unique_ptr<Objective> make_mapo(const ObjectiveSettings& settings);

}  // namespace plumb
