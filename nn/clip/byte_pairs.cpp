#include "nn/clip/byte_pairs.h"

#include <array>
#include <queue>

#include "engine/require.h"
#include "nn/clip/unicode.h"

namespace plumb {
namespace {

constexpr std::string_view kEndOfWord = "</w>";

/// The printable characters of Latin-1 stand for themselves; the others, in order, are U+0100 and up.
constexpr bool is_printable(int byte) {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

std::array<char32_t, 256> byte_codes() {
  std::array<char32_t, 256> codes{};
  char32_t next = 0x100;
  for (int byte = 0; byte < 256; ++byte) codes[size_t(byte)] = is_printable(byte) ? char32_t(byte) : next++;
  return codes;
}

const std::array<char32_t, 256>& codes_of_bytes() {
  static const std::array<char32_t, 256> codes = byte_codes();
  return codes;
}

/// The byte of a character; -1 when it stands for none.
int byte_of(char32_t code) {
  const auto& codes = codes_of_bytes();
  for (int byte = 0; byte < 256; ++byte)
    if (codes[size_t(byte)] == code) return byte;
  return -1;
}

/// A token of the word being encoded, in a list linked by position; a token that was joined to its left has id -1.
struct Symbol {
  int64_t id;
  int before, after;
};

/// A pair that may be joined, as it was when it was found.
struct Candidate {
  int64_t rank;
  int position;
  int64_t id;
  /// Later in the order of joining.
  bool operator<(const Candidate& other) const {
    return rank != other.rank ? rank > other.rank : position > other.position;
  }
};

}  // namespace

BytePairs::BytePairs(const Vocabulary& vocabulary, const Merges& merges) {
  for (const auto& [token, id] : vocabulary) {
    require<ValueError>(id >= 0, "vocabulary: ids must not be negative ({}, \"{}\")", id, token);
    ids_.emplace(token, id);
    require<ValueError>(tokens_.emplace(id, token).second, "vocabulary: an id is given twice ({}, \"{}\")", id, token);
  }
  int64_t rank = 0;
  for (const auto& [left, right] : merges) {
    const int64_t first = id_of(left), second = id_of(right), joined = id_of(left + right);
    require<ValueError>(first >= 0 && second >= 0 && joined >= 0,
                        "merges: the vocabulary lacks a token of merge {}, \"{}\" and \"{}\"", rank + 1, left, right);
    merges_[{first, second}] = {rank++, joined};
  }
}

int64_t BytePairs::id_of(std::string_view token) const {
  const auto found = ids_.find(std::string(token));
  return found == ids_.end() ? -1 : found->second;
}

std::string_view BytePairs::token_of(int64_t id) const {
  const auto found = tokens_.find(id);
  return found == tokens_.end() ? std::string_view() : found->second;
}

void BytePairs::encode(std::string_view word, int64_t unknown, std::vector<int64_t>& ids) const {
  std::vector<Symbol> symbols;
  const int count = int(word.size());
  for (int i = 0; i < count; ++i) {
    std::string token = symbol_of(uint8_t(word[size_t(i)]));
    if (i + 1 == count) token += kEndOfWord;
    const int64_t id = id_of(token);
    symbols.push_back({id >= 0 ? id : unknown, i - 1, i + 1 == count ? -1 : i + 1});
  }
  std::priority_queue<Candidate> candidates;
  const auto merge_at = [&](int position) -> const Merge* {
    if (position < 0 || symbols[size_t(position)].id < 0 || symbols[size_t(position)].after < 0) return nullptr;
    const Symbol& left = symbols[size_t(position)];
    const auto found = merges_.find({left.id, symbols[size_t(left.after)].id});
    return found == merges_.end() ? nullptr : &found->second;
  };
  const auto propose = [&](int position) {
    if (const Merge* merge = merge_at(position)) candidates.push({merge->rank, position, merge->id});
  };
  for (int i = 0; i < count; ++i) propose(i);
  while (!candidates.empty()) {
    const Candidate next = candidates.top();
    candidates.pop();
    const Merge* merge = merge_at(next.position);
    if (!merge || merge->id != next.id) continue;  // the pair is no longer what it was
    Symbol& left = symbols[size_t(next.position)];
    Symbol& right = symbols[size_t(left.after)];
    left.id = next.id;
    left.after = right.after;
    right.id = -1;
    if (left.after >= 0) symbols[size_t(left.after)].before = next.position;
    propose(left.before);
    propose(next.position);
  }
  for (int i = 0; i >= 0 && i < count; i = symbols[size_t(i)].after) ids.push_back(symbols[size_t(i)].id);
}

std::string BytePairs::symbol_of(uint8_t byte) {
  std::string symbol;
  append_utf8(symbol, codes_of_bytes()[byte]);
  return symbol;
}

std::string BytePairs::bytes_of(std::string_view token) {
  std::string bytes;
  for (const char32_t code : from_utf8(token)) {
    const int byte = byte_of(code);
    if (byte < 0) return std::string(token);
    bytes += char(byte);
  }
  return bytes;
}

}  // namespace plumb
