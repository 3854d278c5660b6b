#pragma once

#include <memory>

#include "align/policy_pair.h"
#include "align/preference_trainer.h"
#include "apps/toy2d/finetune.h"

namespace plumb::toy2d {

/// The policy pair a method takes its targets from, of the initial model. Refers to what `start` refers to.
std::unique_ptr<PolicyPair> make_policy(const Method& method, const FinetuneStart& start);

/// What the trainer wraps around the objective: timesteps, reward scale, moving reference, Self-DPO's losers.
PreferenceTrainerOptions trainer_options(const Method& method, const FinetuneStart& start);

/// One batch: pairs drawn with replacement and made into what the method trains on.
/// Throws ValueError when a method wants another prompt's winner and there is one prompt only.
PreferencePairs draw_pairs(const Method& method, const FinetuneStart& start, const RandomKey& key);

}  // namespace plumb::toy2d
