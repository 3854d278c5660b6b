#pragma once

#include <string>

#include "engine/io/json.h"

namespace plumb {

/// What was asked for a picture; what is "none" or empty is left out of the texts.
struct PictureFacts {
  std::string prompt = {}, negative = {};
  int64_t label = -1;
  int64_t seed = 0, steps = 0, width = 0, height = 0;
  double guidance_scale = 1, guidance_rescale = 0;
  std::string sampler = {}, model = {}, init_image = {}, rng = {};
  double strength = 1;
};

/// The text other programs look for under "parameters" [AUTOMATIC1111's web UI]: the prompt, a line "Negative prompt:",
/// and a line of "Name: value".
std::string parameters_text(const PictureFacts& facts);

/// The same as an object, with the file's name: a line of metadata.jsonl.
Json metadata_line(const std::string& file_name, const PictureFacts& facts);

}  // namespace plumb
