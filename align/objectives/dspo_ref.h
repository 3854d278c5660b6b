#pragma once

#include <memory>

#include "align/preference_weight.h"

// DSPO-ref: DSPO with the reference's prediction in place of the noise as the data score (the DSPO paper, Sec. E.1).
//
//   L = mean over pairs of  e(pred_w - lambda gamma (1 - sigmoid(z)) (pred_w - ref_w), ref_w)
//     = mean over pairs of  (1 - lambda gamma (1 - sigmoid(z)))^2 e(pred_w, ref_w)
//
//   symbol   shape    meaning
//   pred_w   [B, …]   student's prediction on winners             differentiated
//   ref_w    [B, …]   frozen reference's                          detached
//   z        [B]      as in align/objectives/dspo.h, whose options these are; the gradient flows through it unless
//                     detach_weight
//
// The second form is computed: exactly 0 at student = reference, with a gradient of exactly 0. The objective is
// degenerate: training that starts at the reference leaves it only by noise or weight decay.

namespace plumb {

std::unique_ptr<Objective> make_dspo_ref(const DspoOptions& options);
/// Keys: those of read_dspo_options. Throws ValueError.
std::unique_ptr<Objective> make_dspo_ref(const ObjectiveSettings& settings);

}  // namespace plumb
