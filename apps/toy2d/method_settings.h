#pragma once

#include "apps/toy2d/methods.h"

namespace plumb::toy2d {

/// Applies those of `--set METHOD.key=value` that name this method. Keys: lr, steps, pairs_per_step; beta (all but
/// SFT); lambda (DSPO and its kin), temperature (DSPO, DSPO-ref); lambda1, lambda2 (Self-DPO); offset, utility, w_plus,
/// w_minus (Diffusion-KTO); rank, alpha, adapter_lr, adapter_steps (data-driven DDSPO); gamma, bins; and for every
/// method with a reference and pairs: reward_scale, tau (0: never), delta, test, policy. Throws UsageError.
void apply_method_settings(Method& method, const KeyValues& settings);

/// DSPO and DSPO-ref.
bool has_temperature(const Method& method);

}  // namespace plumb::toy2d
