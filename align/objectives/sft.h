#pragma once

#include <memory>

#include "align/objective.h"

// Supervised fine-tuning on the winners: the denoising loss of the pretraining.              [Ho et al. 2020, Eq. 14]
//
//   L = mean over pairs of  e(pred_w, target_w)
//
//   symbol     shape     meaning
//   pred_w     [B, …]    student's prediction on winners          differentiated
//   target_w   [B, …]    noise (or v, or flow) of the winners     detached
//   e          [B]       mean (reduction = sum: sum) of squared differences over all non-batch elements
//
// The baseline of every table: losers and the reference are not evaluated.

namespace plumb {

struct SftOptions {
  Reduction reduction = Reduction::mean;
};

std::unique_ptr<Objective> make_sft(const SftOptions& options);
/// Keys: reduction. Throws ValueError.
std::unique_ptr<Objective> make_sft(const ObjectiveSettings& settings);

}  // namespace plumb
