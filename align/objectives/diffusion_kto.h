#pragma once

#include <memory>

#include "align/objective.h"

// Diffusion-KTO: samples judged good or bad one by one, without pairs.
//   Li et al. 2024, "Aligning Diffusion Models by Optimizing Human Utility", Eq. 9; utilities of Sec. 4.2.
//
//   g = e(ref) - e(pred)                        implicit reward
//   z = s beta (g - k)                          logit
//   L = mean over samples of  w_s (1 - h(z))
//
//   symbol   shape   meaning
//   s        [N]     labels: +1 wanted, -1 unwanted
//   e(pred)  [N]     student's error                             differentiated
//   e(ref)   [N]     frozen reference's error                    detached
//   k        []      offset, what a sample is compared with      detached
//              mean         max(0, mean of g over the batch); the only clamped one
//              balanced     half the mean over s = +1 and half that over s = -1 (the other alone where one is missing)
//              mismatched   mean of g with the predictions made under the conditions of other samples
//                           (pred_roll, ref_roll: conditions rolled by one inside the batch)
//   h                utility: sigmoid · loss_averse = log sigmoid · risk_seeking = -log sigmoid(-z)
//   w_s              w_plus or w_minus (1)
//   beta             multiplies a MEAN over elements (5000, the paper's; the code's argument defaults to 1000)
//
// Sign: z > 0 when a wanted sample gained more than the offset, or an unwanted one less. No factor 1/2. Without labels
// a batch of pairs is read as winners +1, losers -1. At student = reference z = 0 and, with sigmoid, L = 1/2.

namespace plumb {

enum class KtoOffset { mean, balanced, mismatched };
enum class KtoUtility { sigmoid, loss_averse, risk_seeking };

struct DiffusionKtoOptions {
  double beta = 5000;
  KtoOffset offset = KtoOffset::mean;
  KtoUtility utility = KtoUtility::sigmoid;
  double w_plus = 1;
  double w_minus = 1;
  Reduction reduction = Reduction::mean;
};

std::unique_ptr<Objective> make_diffusion_kto(const DiffusionKtoOptions& options);
/// Keys: beta, offset (mean, balanced, mismatched), utility (sigmoid, loss_averse, risk_seeking), w_plus, w_minus,
/// reduction. Throws ValueError.
std::unique_ptr<Objective> make_diffusion_kto(const ObjectiveSettings& settings);

}  // namespace plumb
