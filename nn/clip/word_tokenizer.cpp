#include "nn/clip/word_tokenizer.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/io/json.h"
#include "engine/require.h"
#include "nn/clip/clip_words.h"
#include "nn/clip/unicode.h"

namespace plumb {
namespace {

constexpr const char* kEndOfWord = "</w>";
constexpr const char* kBegin = "<|startoftext|>";
constexpr const char* kEnd = "<|endoftext|>";

/// What the texts are made of.
struct Words {
  std::map<std::string, int64_t> uses;
  int64_t longest = 0;
};

Words words_of(std::span<const std::string> texts) {
  Words found;
  for (const std::string& text : texts) {
    const std::vector<std::string> words = clip_words(text);
    found.longest = std::max(found.longest, int64_t(words.size()));
    for (const std::string& word : words) ++found.uses[word];
  }
  return found;
}

/// The most frequent first; of equals the first in the alphabet.
std::vector<std::string> by_use(const Words& words, int64_t most) {
  std::vector<std::pair<int64_t, std::string>> order;
  for (const auto& [word, uses] : words.uses) order.emplace_back(-uses, word);
  std::sort(order.begin(), order.end());
  std::vector<std::string> result;
  for (auto& [uses, word] : order)
    if (int64_t(result.size()) < most) result.push_back(std::move(word));
  return result;
}

/// A list of merges that grows until every word it was given is one token.
class MergeList {
 public:
  /// A later merge never breaks an earlier word, since earlier merges go first.
  void add(const std::string& word) {
    std::vector<std::string> tokens = split(word);
    while (tokens.size() > 1) {
      list_.emplace_back(tokens[0], tokens[1]);
      ranks_.emplace(list_.back(), int64_t(list_.size()) - 1);
      tokens = split(word);
    }
  }

  const BytePairs::Merges& list() const { return list_; }

 private:
  /// What the merges so far make of a word.
  std::vector<std::string> split(std::string_view word) const {
    std::vector<std::string> tokens;
    for (const char byte : word) tokens.push_back(BytePairs::symbol_of(uint8_t(byte)));
    tokens.back() += kEndOfWord;
    while (true) {
      size_t best = tokens.size();
      int64_t rank = int64_t(list_.size());
      for (size_t i = 0; i + 1 < tokens.size(); ++i) {
        const auto found = ranks_.find({tokens[i], tokens[i + 1]});
        if (found != ranks_.end() && found->second < rank) best = i, rank = found->second;
      }
      if (best == tokens.size()) return tokens;
      tokens[best] += tokens[best + 1];
      tokens.erase(tokens.begin() + int64_t(best) + 1);
    }
  }

  BytePairs::Merges list_;
  std::map<std::pair<std::string, std::string>, int64_t> ranks_;
};

Json vocabulary_of(const BytePairs::Merges& merges) {
  std::vector<std::string> tokens;
  for (const char* end : {"", kEndOfWord})
    for (int byte = 0; byte < 256; ++byte) tokens.push_back(BytePairs::symbol_of(uint8_t(byte)) + end);
  std::set<std::string> known(tokens.begin(), tokens.end());
  for (const auto& [left, right] : merges)
    if (known.insert(left + right).second) tokens.push_back(left + right);
  tokens.emplace_back(kBegin), tokens.emplace_back(kEnd);
  Json vocabulary = Json::object();
  for (size_t i = 0; i < tokens.size(); ++i) vocabulary.set(tokens[i], int64_t(i));
  return vocabulary;
}

std::string lines_of(const BytePairs::Merges& merges) {
  std::string lines = "#version: 0.2\n";
  for (const auto& [left, right] : merges) lines += left + " " + right + "\n";
  return lines;
}

Json special_tokens() {
  Json json = Json::object();
  return json.set("bos_token", kBegin).set("eos_token", kEnd).set("unk_token", kEnd).set("pad_token", kEnd);
}

}  // namespace

FileContents word_tokenizer(std::span<const std::string> texts, const WordTokenizerOptions& options) {
  const Words words = words_of(texts);
  require<ValueError>(words.longest > 0, "word tokenizer: there must be a word in the texts ({} texts)", texts.size());
  MergeList merges;
  for (const std::string& word : by_use(words, options.most_words)) merges.add(word);
  constexpr int64_t kAround = 2, kMultiple = 8;  // start and end
  const int64_t length = (words.longest + kAround + kMultiple - 1) / kMultiple * kMultiple;
  Json config = special_tokens();
  config.set("add_prefix_space", false).set("do_lower_case", true).set("tokenizer_class", "CLIPTokenizer");
  config.set("model_max_length", std::min(length, options.most_tokens));
  return {{"vocab.json", vocabulary_of(merges.list()).dump() + "\n"},
          {"merges.txt", lines_of(merges.list())},
          {"tokenizer_config.json", config.dump(2) + "\n"},
          {"special_tokens_map.json", special_tokens().dump(2) + "\n"}};
}

}  // namespace plumb
