#pragma once

#include <string>
#include <vector>

#include "align/worlds/shapes/score.h"
#include "engine/io/image.h"

namespace plumb::shapes {

/// A picture that was asked for with a prompt, as a line of metadata.jsonl names it.
struct Shot {
  std::string file = {};  ///< relative to its folder
  std::string path = {};
  std::string prompt = {};
  int64_t seed = 0;
  Statement caption = {};
  Image image = {};  ///< read
  Reading reading = {};
  Score score = {};
};

/// The pictures of a folder, in the order of its metadata.jsonl (file_name, prompt or text, seed); read and scored on
/// all threads. Throws UsageError naming file and line for a prompt outside the grammar of captions or a missing
/// member, IoError for a picture that cannot be read, UsageError for one of another size.
std::vector<Shot> read_shots(const std::string& folder, const World& world);

}  // namespace plumb::shapes
