#pragma once

#include <string>
#include <vector>

#include "engine/io/json.h"

namespace plumb::study {

/// Writes a .jsonl file, complete or not at all; makes the folder. Throws IoError.
void write_json_lines(const std::string& path, const std::vector<Json>& lines);

}  // namespace plumb::study
