#pragma once

#include <memory>

#include "apps/align/settings.h"
#include "nn/optim/adam.h"

namespace plumb {

/// The pairs to train on: from a file, or as `plumb pairs` with this seed makes them. Throws UsageError or IoError.
PreferencePairs pairs_for(AlignSettings& settings, PointModel& model);

/// Everything that steps of preference fine-tuning run on, made from settings. Not copied or moved: its parts refer to
/// one another.
struct AlignSetup {
  /// `settings` must be resolved. Throws UsageError or ValueError for settings, model and pairs that do not fit
  /// together.
  AlignSetup(const AlignSettings& settings, PointModel model, PreferencePairs preference_pairs, const RandomKey& key);
  AlignSetup(const AlignSetup&) = delete;
  AlignSetup& operator=(const AlignSetup&) = delete;

  PreferencePairs pairs;
  AlignModels models;
  ObjectiveSettings objective_settings;
  std::unique_ptr<Objective> objective;
  std::unique_ptr<Optimizer> optimizer;
  PreferenceTrainer trainer;
};

}  // namespace plumb
