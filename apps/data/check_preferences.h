#pragma once

#include <string>

#include "align/data/preference_dataset.h"
#include "engine/io/json.h"

namespace plumb {

/// Reads every picture (or latents) of a preference set, on all threads, and describes both as an object:
///   layout, pairs, unpaired {liked, not_liked}, without_loser, ties, latents, bytes,
///   prompts {distinct, most_pairs, empty, longest_bytes}, negatives {pairs, most, fewest},
///   sizes [{size, files}], files, alike [pairs whose two files have the same bytes], broken [what is wrong, row by
///   row]
/// A pair with a broken file is one broken line. Nothing depends on the number of threads.
Json describe_preferences(const PreferenceDataset& dataset);

/// The same for people.
std::string format_preferences(const Json& description);

}  // namespace plumb
