#pragma once

#include <string>

#include "engine/random/random_key.h"

namespace plumb::study {

/// Copies a prompt file with a "negative_prompt" for each prompt: a version with words left out, as TF-CPP's c- is made
/// (random_removal). For the control that guides the reference away from c- when pictures are drawn, and trains
/// nothing. Throws IoError.
void write_negative_prompts(const std::string& from, const std::string& to, const RandomKey& key);

}  // namespace plumb::study
