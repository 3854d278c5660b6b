#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace plumb {

/// Byte-pair encoding as CLIP uses it [Sennrich et al. 2016]: a word's bytes, each under a printable character of its
/// own, the last one with "</w>" behind it; then the pair of neighbours that comes first in the list of merges is
/// joined, the leftmost of equals, until none is left.
class BytePairs {
 public:
  using Vocabulary = std::vector<std::pair<std::string, int64_t>>;
  using Merges = std::vector<std::pair<std::string, std::string>>;

  /// Throws ValueError when a merge names a token that the vocabulary lacks, or an id is negative or given twice.
  BytePairs(const Vocabulary& vocabulary, const Merges& merges);

  /// Id of a token; -1 when there is none.
  int64_t id_of(std::string_view token) const;
  /// Text of an id; empty when there is none.
  std::string_view token_of(int64_t id) const;
  int64_t size() const { return int64_t(ids_.size()); }

  /// Appends the tokens of one word, any bytes but at least one; `unknown` stands for a byte without a token.
  void encode(std::string_view word, int64_t unknown, std::vector<int64_t>& ids) const;
  /// The printable character that stands for a byte, in UTF-8.
  static std::string symbol_of(uint8_t byte);
  /// The bytes a token stands for, "</w>" included; the token itself where it is not made of the bytes' characters.
  static std::string bytes_of(std::string_view token);

 private:
  struct Merge {
    int64_t rank, id;
  };

  std::unordered_map<std::string, int64_t> ids_;
  std::unordered_map<int64_t, std::string> tokens_;
  std::map<std::pair<int64_t, int64_t>, Merge> merges_;
};

}  // namespace plumb
