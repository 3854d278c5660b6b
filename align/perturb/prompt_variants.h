#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "align/perturb/random_removal.h"

namespace plumb {

/// Degraded versions c- of prompts, looked up by the prompt's exact bytes.
class PromptVariants {
 public:
  /// Throws ValueError when the prompt is known already.
  void add(std::string prompt, std::vector<std::string> variants);

  size_t size() const { return variants_.size(); }
  /// All, in the order of the prompts' bytes.
  const std::map<std::string, std::vector<std::string>, std::less<>>& all() const { return variants_; }
  /// Null for an unknown prompt; empty for one that cannot be degraded.
  const std::vector<std::string>* find(std::string_view prompt) const;
  /// One of the prompt's variants, uniformly: the draw of row key.sample0. Throws ValueError naming the prompt when it
  /// is unknown or has none.
  const std::string& draw(std::string_view prompt, const RandomKey& key) const;

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> variants_;
};

/// Random removal of words for each prompt; equal prompts once. What a prompt gets depends on it and the key alone.
PromptVariants remove_words(const std::vector<std::string>& prompts, const RandomKey& key,
                            const RandomRemovalOptions& options = {});

/// Rewrites (task- or quality-degrading) from a JSONL file, one object a line:
///   {"prompt": "a red cube on a table", "neg_prompts": ["a cube on a table", "a red cube"]}
/// Texts are kept byte for byte; other members are passed over; the last line may lack its newline.
/// Throws IoError for what is no JSON or no UTF-8, ValueError otherwise, both naming file and line: a missing key, a
/// wrong type, an empty list, an empty line, a prompt given twice (with the line of the first).
PromptVariants read_rewrites(const std::filesystem::path& path);

}  // namespace plumb
