#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace plumb {

/// Edit distance with insertions, deletions, substitutions and swaps of neighbours, each of cost 1
/// (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate a person most likely meant, or "" when none is near: at most a third of the word's letters differ (at
/// least one may), or the word begins exactly one candidate. Ties go to the first.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace plumb
