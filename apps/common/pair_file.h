#pragma once

#include <string>

#include "align/preference.h"
#include "diffusion/point_denoiser.h"
#include "engine/io/safetensors.h"

namespace plumb {

/// A preference set of points as a safetensors file:
///   winners    floating [P, D]   x0_w
///   losers     floating [P, D]   x0_l
///   condition  integer  [P]      class c of the pair; left out for a model without classes
///   negative   integer  [P]      degraded class c-, which the training-free and the oracle policy pair read; optional
/// Metadata are free. Throws IoError.
void save_pairs(const std::string& file, const PreferencePairs& pairs, const Metadata& metadata = {{"format", "pt"}});

/// Reads such a file for a network of these options: points as f32, labels as i64. Throws IoError for a broken file,
/// UsageError naming file and tensor for one that is missing, unknown, of another shape or kind, not finite, or a label
/// the network does not have.
PreferencePairs load_pairs(const std::string& file, const PointDenoiserOptions& network);

/// SHA-256 of everything in the set: the same pairs under another path are the same pairs.
std::string hash_of(const PreferencePairs& pairs);

}  // namespace plumb
