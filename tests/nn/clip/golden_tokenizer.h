#pragma once

#include <filesystem>
#include <string>

#include "tests/support/golden.h"
#include "tests/support/temp_dir.h"

// The folders of tests/golden/tokenizer, which share one vocabulary there.

namespace plumb::test {

inline std::filesystem::path golden_tokenizer() { return golden_path("tokenizer"); }

/// A folder as make_tokenizer_cases.py had it: the configuration of that name, beside the common vocabulary.
inline std::filesystem::path assemble_tokenizer(const TempDir& root, const std::string& name) {
  const std::filesystem::path folder = root.path() / name;
  std::filesystem::create_directories(folder);
  if (name != "one_file")
    for (const char* file : {"vocab.json", "merges.txt"}) std::filesystem::copy(golden_tokenizer() / file, folder);
  for (const auto& entry : std::filesystem::directory_iterator(golden_tokenizer() / name))
    std::filesystem::copy(entry.path(), folder);
  return folder;
}

}  // namespace plumb::test
