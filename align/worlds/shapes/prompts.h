#pragma once

#include <string>
#include <vector>

#include "align/worlds/shapes/caption_noise.h"

namespace plumb::shapes {

/// A picture of the data set and its caption.
struct Example {
  Scene scene;
  Category category = Category::single_object;  ///< that the scene was drawn for
  std::string clean;                            ///< a true caption
  std::string caption;                          ///< the same after World::noise
  CaptionFaults faults;
};

/// Example `index` of a data set, a function of world, key and index. Categories take World::turns; pairs and openings
/// are those of training.
Example draw_example(const World& world, const RandomKey& key, int64_t index);

struct PromptOptions {
  enum class HeldOut { without, with, only } held_out = HeldOut::without;
  double duplicates = 0;  ///< share of the prompts that repeat an earlier one
};

/// Prompts without noise, balanced over the six categories (prompt i is of category i % 6); of a single category they
/// differ as long as the world has enough of them. `without`: pairs and openings of training; `only`: a held-out
/// opening or colour-shape pair in each; `with`: either, by chance. They say no quality.
std::vector<std::string> draw_prompts(const World& world, const RandomKey& key, int64_t count,
                                      const PromptOptions& options = {});

}  // namespace plumb::shapes
