#pragma once

#include <string>
#include <vector>

#include "engine/io/json.h"

namespace plumb::study {

/// The objects of a .jsonl file. Throws IoError naming file and line.
std::vector<Json> read_json_lines(const std::string& path);

/// Writes them, complete or not at all; makes the folder. Throws IoError.
void write_json_lines(const std::string& path, const std::vector<Json>& lines);

}  // namespace plumb::study
