#pragma once

#include "align/data/preference_dataset.h"
#include "align/perturb/prompt_variants.h"
#include "align/preference_trainer.h"
#include "apps/align/pictures/prompts.h"

namespace plumb {

/// The extra list of prompts that random conditions are taken from, each with its degraded versions.
class RandomPrompts {
 public:
  /// As Prompts. Throws UsageError for a network that is told nothing, too.
  RandomPrompts(const PromptVariants& list, const Pipeline& pipeline);

  /// Tells the trainer, on its device, what the text encoders make of each, once. `negatives`: whether c- are read.
  void give_to(PreferenceTrainer& trainer, const std::string& folder, Device device, bool negatives, bool quiet);

 private:
  PreferenceDataset list_;
  Prompts prompts_;
};

}  // namespace plumb
