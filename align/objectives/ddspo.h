#pragma once

#include <memory>

#include "align/objective.h"

// DDSPO: Direct Diffusion Score Preference Optimization (the DDSPO paper, Sec. 3, Eqs. 5-7).
//
// Diffusion-DPO's loss with the forward-process noise replaced, as target, by the scores of a winning and a losing
// policy:
//   ew = e(pred(xw_t, t, c), tw)    rw = e(ref(xw_t, t, c), tw)
//   el = e(pred(xl_t, t, c), tl)    rl = e(ref(xl_t, t, c), tl)
//   z  = -(beta / 2) ((ew - el) - (rw - rl))
//   L  = mean over pairs of  w(t) * -log sigmoid(z)
//
//   symbol   shape    meaning
//   tw, tl   [B, …]   targets of the policy pair (align/policy_pair.h, align/data_driven_pair.h)             detached
//   w(t)     [B]      loss_weight: none = 1; linear = t / (T - 1)
//   beta              16000 (SD1.x and SDXL, training-free)
//
// Student and reference are always conditioned on c; only the target of the losing branch sees c-. No guidance in
// targets. With the forward process as the pair it equals Diffusion-DPO.

namespace plumb {

enum class LossWeight { none, linear };

struct DdspoOptions {
  double beta = 16000;
  Reduction reduction = Reduction::mean;
  LossWeight loss_weight = LossWeight::none;
};

std::unique_ptr<Objective> make_ddspo(const DdspoOptions& options);
/// Keys: beta, reduction, loss_weight (none, linear). Throws ValueError.
std::unique_ptr<Objective> make_ddspo(const ObjectiveSettings& settings);

}  // namespace plumb
