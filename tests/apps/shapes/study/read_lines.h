#pragma once

#include <string>
#include <vector>

#include "nn/data/metadata_file.h"

namespace plumb::test {

/// The objects of a .jsonl file.
inline std::vector<Json> read_lines(const std::string& path) {
  std::vector<Json> lines;
  for (MetadataRow& row : read_metadata(path)) lines.push_back(std::move(row.fields));
  return lines;
}

}  // namespace plumb::test
