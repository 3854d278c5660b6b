#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/random/random_key.h"

namespace plumb {

/// The words of a prompt: what lies between white space (as Python's str.split() without arguments: Unicode's white
/// space and the separators U+001C to U+001F). Bytes that are not UTF-8 belong to words.
std::vector<std::string_view> split_words(std::string_view prompt);

struct RandomRemovalOptions {
  double min_ratio = 0.4;  ///< u is uniform in [min_ratio, max_ratio)
  double max_ratio = 0.7;
  int64_t variants = 5;  ///< at most this many, all different
};

/// Degraded versions of a prompt by random removal of words, a prompt perturbation.            [DDSPO paper, Sec. 4.2]
/// Each leaves out max(1, floor(u n)) of the n words, u ~ U(min_ratio, max_ratio), chosen uniformly, and joins the rest
/// in order by one blank. Draws are repeated (at most ten times the number of variants) until enough different texts
/// are found: short prompts have fewer. A prompt of fewer than two words has none. A function of key, prompt and
/// options. Throws ValueError unless 0 <= min_ratio <= max_ratio <= 1 and variants >= 0.
std::vector<std::string> random_removal(std::string_view prompt, const RandomKey& key,
                                        const RandomRemovalOptions& options = {});

}  // namespace plumb
