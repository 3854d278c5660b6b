#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "nn/clip/byte_pairs.h"

namespace plumb {

/// A token that is found in the text before anything else is done.
struct AddedToken {
  std::string content;
  bool normalized = false;  ///< looked for in the normalised text, else in the text as it was written
  bool special = true;      ///< left out by decode(…, skip_special)
};

/// Contents of files by name.
using FileContents = std::map<std::string, std::string>;

/// What the files of a tokenizer's folder say.
struct TokenizerFiles {
  BytePairs::Vocabulary vocabulary;
  BytePairs::Merges merges;
  std::vector<AddedToken> added;  ///< of equal contents the last counts
  std::string bos = "<|startoftext|>", eos = "<|endoftext|>", unknown = "<|endoftext|>", pad = "<|endoftext|>";
  int64_t length = 77;         ///< model_max_length
  FileContents contents = {};  ///< every file that was read
};

/// The files of a tokenizer: vocab.json and merges.txt, or tokenizer.json, which counts if all are there;
/// tokenizer_config.json, special_tokens_map.json and added_tokens.json where they are; others are passed over. What
/// counts of them, in which order, is what transformers 5 does. `where` names their folder in messages.
/// Throws IoError for files that are missing or malformed, ValueError naming the file and the key for what is not
/// supported.
TokenizerFiles read_tokenizer_files(const FileContents& contents, const std::string& where);
/// Those of a folder.
FileContents tokenizer_contents(const std::filesystem::path& folder);

}  // namespace plumb
