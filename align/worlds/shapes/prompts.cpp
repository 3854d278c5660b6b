#include "align/worlds/shapes/prompts.h"

#include <set>

#include "engine/require.h"

namespace plumb::shapes {
namespace {

using HeldOut = PromptOptions::HeldOut;

bool says_colors(Category category) { return category == Category::colors || category == Category::color_attribution; }

/// Held out are an opening, a pair, or both in turn; a category that says no colours has only openings.
std::string draw_prompt(const World& world, const RandomKey& key, Category category, bool held_out) {
  Draws draws(key.fork("prompt"));
  const bool pair = held_out && says_colors(category) && !world.held_out.empty() && draws.chance(0.5);
  const bool opening = held_out && (!pair || draws.chance(0.5));
  const Scene scene = draw_scene(world, category, key, pair ? Pairs::held_out : Pairs::training);
  World silent = world;
  silent.say_quality = 0;
  silent.extra_hues = 0;  // as in GenEval, counting and position name shapes alone
  return write_caption(describe(scene, silent, category, draws, opening ? Openings::held_out : Openings::training));
}

}  // namespace

Example draw_example(const World& world, const RandomKey& key, int64_t index) {
  const RandomKey own = key.fork("example").at_sample(uint64_t(index));
  Example example;
  example.category = world.category_of_example(index);
  example.scene = draw_scene(world, example.category, own);
  Draws words(own.fork("words")), noise(own.fork("noise"));
  const Statement truth = describe(example.scene, world, example.category, words);
  example.clean = write_caption(truth);
  example.caption = write_caption(corrupt(truth, world, noise, &example.faults));
  return example;
}

std::vector<std::string> draw_prompts(const World& world, const RandomKey& key, int64_t count,
                                      const PromptOptions& options) {
  constexpr int kTries = 50;  // for one that is not there yet
  require<ValueError>(count >= 1, "shapes: prompts must be at least one ({})", count);
  require<ValueError>(options.duplicates >= 0 && options.duplicates <= 1, "shapes: duplicates must be in [0, 1] ({})",
                      options.duplicates);
  std::vector<std::string> prompts;
  std::set<std::string> known;
  for (int64_t i = 0; i < count; ++i) {
    Draws draws(key.fork("prompts").at_sample(uint64_t(i)));
    const bool held_out = options.held_out == HeldOut::only || (options.held_out == HeldOut::with && draws.chance(0.5));
    if (i >= kCategories && draws.chance(options.duplicates)) {
      const int64_t earlier = draws.below(i / kCategories) * kCategories + i % kCategories;
      prompts.push_back(prompts[size_t(earlier)]);
      continue;
    }
    RandomKey own = key.fork("prompts").at_sample(uint64_t(i));
    std::string prompt;
    for (int attempt = 0; attempt < kTries; ++attempt) {
      own = own.fork("next");
      prompt = draw_prompt(world, own, kAllCategories[size_t(i % kCategories)], held_out);
      if (known.insert(prompt).second) break;
    }
    prompts.push_back(prompt);
  }
  return prompts;
}

}  // namespace plumb::shapes
