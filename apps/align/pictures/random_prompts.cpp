#include "apps/align/pictures/random_prompts.h"

#include "apps/common/exit_codes.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

PreferenceDataset samples_of(const PromptVariants& list) {
  PreferenceDataset data;
  for (const auto& [prompt, negatives] : list.all()) data.samples.push_back({.prompt = prompt, .negatives = negatives});
  return data;
}

}  // namespace

RandomPrompts::RandomPrompts(const PromptVariants& list, const Pipeline& pipeline)
    : list_(samples_of(list)), prompts_(list_, pipeline) {
  require<UsageError>(prompts_.told(),
                      "align: --random_condition replaces prompts, and the network is told nothing; leave it out");
}

void RandomPrompts::give_to(PreferenceTrainer& trainer, const std::string& folder, Device device, bool negatives,
                            bool quiet) {
  prompts_.prepare(folder, quiet);
  const int64_t count = int64_t(list_.samples.size());
  std::vector<int64_t> own, degraded, variants;
  for (int64_t i = 0; i < count; ++i) {
    const std::vector<int64_t>& found = prompts_.negatives(i);
    own.push_back(prompts_.positive(i));
    degraded.insert(degraded.end(), found.begin(), found.end());
    variants.push_back(int64_t(found.size()));
  }
  if (negatives)
    trainer.set_random_prompts(prompts_.of(own).to(device), prompts_.of(degraded).to(device),
                               from_vector(variants, {count}).to(device));
  else
    trainer.set_random_prompts(prompts_.of(own).to(device), {}, {});
}

}  // namespace plumb
