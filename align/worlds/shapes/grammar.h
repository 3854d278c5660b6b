#pragma once

#include <string>

#include "align/worlds/shapes/caption.h"

// What writing and parsing a caption share.

namespace plumb::shapes {

inline constexpr int64_t kMostCounted = 4;

const Words& opening_nouns();
const Words& opening_verbs();
const Words& join_words();
bool is_held_out(const Opening& opening);
std::string plural(std::string_view word);

}  // namespace plumb::shapes
