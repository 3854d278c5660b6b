#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "align/worlds/shapes/world.h"
#include "engine/random/random_key.h"

namespace plumb::shapes {

/// Versions of a prompt that ask for something else: one colour, shape or relation is swapped, or the colours of two
/// objects are exchanged (swap_attribute), in otherwise the same words. At most `most`, all different from each other
/// and from the prompt. A function of its arguments alone. Throws ValueError for a text outside the grammar.
std::vector<std::string> swap_rewrites(std::string_view prompt, const World& world, const RandomKey& key,
                                       int64_t most = 5);

/// Versions that ask for the same in bad quality: "a blurry picture of …". At most `most`; none for a prompt that asks
/// for a blurry picture already. Throws ValueError for a text outside the grammar.
std::vector<std::string> quality_rewrites(std::string_view prompt, int64_t most = 5);

}  // namespace plumb::shapes
