#pragma once

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "nn/shape_only.h"
#include "nn/state_dict.h"
#include "tests/support/golden.h"

// tests/golden/manifests/NAME.tsv: name and shape of every tensor of a published model, sorted.

namespace plumb::test {

/// The columns of every line of a file in tests/golden.
inline std::vector<std::vector<std::string>> read_table(const std::string& path) {
  std::ifstream file(golden_path(path));
  std::vector<std::vector<std::string>> rows;
  for (std::string line; std::getline(file, line);) {
    std::istringstream text(line);
    rows.emplace_back();
    for (std::string column; std::getline(text, column, '\t');) rows.back().push_back(column);
  }
  return rows;
}

/// A manifest as a state dict without memory.
inline StateDict read_manifest(const std::string& name) {
  StateDict state;
  for (const std::vector<std::string>& row : read_table("manifests/" + name + ".tsv")) {
    std::istringstream text(row.at(1));
    std::vector<int64_t> sizes;
    for (std::string size; std::getline(text, size, ',');) sizes.push_back(std::stoll(size));
    state.push_back({row.at(0), shape_only(Shape(sizes.data(), int64_t(sizes.size())))});
  }
  return state;
}

}  // namespace plumb::test
