#pragma once

#include <span>
#include <string>

#include "nn/clip/tokenizer_files.h"

namespace plumb {

struct WordTokenizerOptions {
  int64_t most_words = 8192;  ///< the most frequent ones; the rest are spelled with pieces
  int64_t most_tokens = 77;   ///< of a text, start and end included: model_max_length is at most this
};

/// A tokenizer whose tokens are the words of these texts: the files of a CLIP tokenizer (vocab.json, merges.txt,
/// tokenizer_config.json, special_tokens_map.json), which transformers and ClipTokenizer read as any other. Merges are
/// laid so that each word becomes one token, whatever the words have in common; any other word is spelled, to single
/// bytes where need be, and no text is unknown. model_max_length is the longest text's, start and end included, as a
/// multiple of 8. A pure function of the texts, whatever their order.
/// Throws ValueError when there is no word in them, or unless they are UTF-8.
FileContents word_tokenizer(std::span<const std::string> texts, const WordTokenizerOptions& options = {});

}  // namespace plumb
