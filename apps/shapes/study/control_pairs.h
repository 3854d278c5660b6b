#pragma once

#include <string>

namespace plumb::study {

/// Writes a preference set that has the pictures of the one in folder `from`, and another c-, into folder `to`:
///   empty      c- is the empty text
///   unrelated  c- is the prompt of another pair
///   equal      c- is c
///   swapped    c and c- change places, and winner and loser with them
/// TF-CPP needs a c- that says less than c; with these it has none. Throws IoError; ValueError for another kind.
void write_control_pairs(const std::string& from, const std::string& to, const std::string& kind);

}  // namespace plumb::study
