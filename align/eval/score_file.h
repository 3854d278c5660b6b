#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace plumb {

/// What one line of a score file says of a picture.
struct ScoredPicture {
  std::string prompt;
  int64_t seed = 0;
  std::string category = {};        ///< "" where the file has none
  std::vector<double> values = {};  ///< one a field; NaN: null, or not there
};

/// The scores of a folder of pictures, sorted by prompt and seed.
struct ScoreFile {
  std::string path;
  std::vector<std::string> fields;
  std::vector<ScoredPicture> pictures;
};

/// Reads scores.jsonl: an object a line with "prompt", "seed", and any number of fields that are true or false (1 or
/// 0), numbers, or null where a picture has no value; "category" groups prompts. `fields` chooses and orders; empty:
/// all that are numbers or booleans in some line, in the order they appear. What else a line holds is passed over.
/// Throws IoError naming file and line: a prompt or seed that is missing, two lines of one prompt and seed, a field
/// that is no number; a field that no line has; no lines.
ScoreFile read_scores(const std::filesystem::path& path, const std::vector<std::string>& fields = {});

}  // namespace plumb
