#include "apps/pairs/plan_pairs.h"

#include <algorithm>

#include "align/perturb/prompt_variants.h"
#include "align/worlds/shapes/rewrite.h"
#include "apps/sample/prompts.h"
#include "engine/format.h"
#include "engine/io/sha256.h"
#include "engine/random/fills.h"
#include "engine/require.h"

namespace plumb {
namespace {

std::vector<std::string> texts_of(const PairsSettings& s) {
  require<UsageError>(!s.prompts.empty(), "pairs: a model of pictures needs prompts; give --prompts FILE ({})",
                      s.model);
  std::vector<std::string> texts;
  for (const PicturePrompt& prompt : read_prompts(s.prompts)) {
    require<UsageError>(
        !prompt.negative && !prompt.width && !prompt.height && !prompt.seed && !prompt.steps && !prompt.guidance_scale,
        "pairs: a line of --prompts must hold a prompt alone ({}: \"{}\")", s.prompts, prompt.text);
    texts.push_back(prompt.text);
  }
  return texts;
}

/// Rewrites of captions of the world of shapes.
PromptVariants rewritten(const PairsSettings& s, const std::vector<std::string>& texts, const RandomKey& key) {
  const shapes::World world = shapes::load_world(s.world);
  PromptVariants variants;
  for (const std::string& text : texts)
    if (!variants.find(text))
      variants.add(text,
                   s.perturbation == "swap" ? shapes::swap_rewrites(text, world, key) : shapes::quality_rewrites(text));
  return variants;
}

PromptVariants variants_of(const PairsSettings& s, const std::vector<std::string>& texts, const RandomKey& key) {
  constexpr std::string_view kFile = "file:";
  if (s.perturbation == "removal") return remove_words(texts, key.fork("removal"));
  if (s.perturbation == "swap" || s.perturbation == "quality") return rewritten(s, texts, key.fork(s.perturbation));
  require<UsageError>(s.perturbation.starts_with(kFile) && s.perturbation.size() > kFile.size(),
                      "pairs: --perturbation must be removal, swap, quality, file:REWRITES.jsonl or none (got \"{}\")",
                      s.perturbation);
  return read_rewrites(s.perturbation.substr(kFile.size()));
}

struct Source {
  std::string prompt;
  std::vector<std::string> negatives;
};

/// The prompts that can be used, with their versions of c-.
std::vector<Source> sources_of(const PairsSettings& s, const RandomKey& key, int64_t& left_out) {
  const std::vector<std::string> texts = texts_of(s);
  std::vector<Source> sources;
  if (s.perturbation == "none") {
    require<UsageError>(!s.has_losers(), "pairs: losers are drawn with c-; give a --perturbation, or --losers none");
    for (const std::string& text : texts) sources.push_back({text, {}});
    return sources;
  }
  const PromptVariants variants = variants_of(s, texts, key);
  for (const std::string& text : texts) {
    const std::vector<std::string>* found = variants.find(text);
    if (found && !found->empty())
      sources.push_back({text, *found});
    else
      ++left_out;
  }
  require<UsageError>(!sources.empty(), "pairs: none of {} prompts has a degraded version (--perturbation {}); {}",
                      texts.size(), s.perturbation, s.prompts);
  return sources;
}

std::string hash_of(const std::vector<Source>& sources) {
  Sha256 hash;
  const auto add = [&](const std::string& text) { hash.update(fmt::format("{} ", text.size())).update(text); };
  for (const Source& source : sources) {
    add(source.prompt);
    hash.update(fmt::format("{}: ", source.negatives.size()));
    for (const std::string& text : source.negatives) add(text);
  }
  return hash.finish_hex();
}

}  // namespace

PlannedPairs plan_pairs(const PairsSettings& settings) {
  const RandomKey key = RandomKey{.seed = uint64_t(settings.global.seed)}.fork("picture pairs");
  PlannedPairs plan;
  const std::vector<Source> sources = sources_of(settings, key, plan.left_out);
  const int64_t count = settings.num_pairs.value_or(int64_t(sources.size()));
  for (int64_t i = 0; i < count; ++i) {
    const Source& source = sources[size_t(i) % sources.size()];
    PlannedPair pair{fmt::format("{:06}", i), source.prompt, source.negatives, settings.global.seed + i};
    if (!pair.negatives.empty()) {
      int64_t drawn = 0;
      fill_randint(key.fork("version").at_sample(uint64_t(i)), {1, 1}, 0, int64_t(pair.negatives.size()), &drawn);
      std::rotate(pair.negatives.begin(), pair.negatives.begin() + drawn, pair.negatives.begin() + drawn + 1);
    }
    plan.pairs.push_back(std::move(pair));
  }
  plan.prompts_hash = hash_of(sources);
  return plan;
}

}  // namespace plumb
