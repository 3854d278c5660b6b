#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/tensor.h"
#include "nn/clip/byte_pairs.h"
#include "nn/clip/tokenizer_files.h"

namespace plumb {

/// CLIP's tokenizer, exactly as transformers 5 has it, where CLIPTokenizer is built on the tokenizers package: added
/// tokens are found first; the rest is brought into normalisation form C, white space becomes one space, letters small;
/// split into 's 't 're 've 'm 'll 'd, runs of letters, single digits and runs of other signs; and each of these
/// encoded by byte pairs. Earlier versions of transformers, when they found no ftfy package, removed control characters
/// and set CJK characters apart; prompts with either then gave other tokens.
class ClipTokenizer {
 public:
  /// From a tokenizer's folder; see read_tokenizer_files. Throws as that does, and ValueError when the vocabulary lacks
  /// what the merges or the special tokens need.
  static ClipTokenizer load(const std::filesystem::path& folder);
  /// From its files; `where` names them in messages.
  static ClipTokenizer from_files(const FileContents& contents, const std::string& where);

  /// Start, the text's tokens and end, however many they are. Throws ValueError unless the text is UTF-8.
  std::vector<int64_t> encode(std::string_view text) const;
  /// The same in `length` tokens: the last tokens of a text that is too long are left out, in front of the end; behind
  /// a shorter one comes padding. Throws ValueError when length < 2.
  std::vector<int64_t> encode(std::string_view text, int64_t length) const;
  /// One row a text, i64 [N, length()].
  Tensor encode(std::span<const std::string> texts) const;

  /// The text of tokens: lower case, one space behind each word. Ids without a token are passed over; bytes that are no
  /// UTF-8 become U+FFFD. skip_special: without start, end and padding.
  std::string decode(std::span<const int64_t> ids, bool skip_special = true) const;

  int64_t length() const { return files_.length; }  ///< of a text, model_max_length
  int64_t bos() const { return bos_; }
  int64_t eos() const { return eos_; }
  int64_t pad() const { return pad_; }
  /// Tokens, added ones included.
  int64_t size() const;

  /// Writes the files that were read, unchanged, into `folder`, which is made. Throws IoError.
  void save(const std::filesystem::path& folder) const;

 private:
  struct Added {
    int64_t id;
    std::string pattern;  // what is looked for
    std::string content;
    bool normalized, special;
  };

  explicit ClipTokenizer(TokenizerFiles files);
  void add(const AddedToken& token);
  int64_t id_of(const std::string& token) const;
  const Added* find(std::string_view text, bool normalized, size_t& at) const;
  void encode_part(std::string_view text, bool normalized, std::vector<int64_t>& ids) const;
  void encode_words(std::string_view text, std::vector<int64_t>& ids) const;

  TokenizerFiles files_;
  BytePairs pairs_;
  std::vector<Added> added_;
  int64_t bos_, eos_, pad_, unknown_;
};

}  // namespace plumb
