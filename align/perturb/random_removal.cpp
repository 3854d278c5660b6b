#include "align/perturb/random_removal.h"

#include <algorithm>
#include <cmath>

#include "engine/format.h"
#include "engine/random/fills.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// Bytes of the white space character that `text` begins with; 0 when it does not.
size_t white_space_at(std::string_view text) {
  const auto first = uint8_t(text[0]);
  if (first < 0x80) return first == ' ' || (first >= 0x09 && first <= 0x0D) || (first >= 0x1C && first <= 0x1F) ? 1 : 0;
  for (std::string_view two : {"\xC2\x85", "\xC2\xA0"})  // next line, no-break space
    if (text.starts_with(two)) return 2;
  // U+2000 to U+200A, U+2028, U+2029 and U+202F.
  if (text.size() >= 3 && text.starts_with("\xE2\x80")) {
    const auto last = uint8_t(text[2]);
    if ((last >= 0x80 && last <= 0x8A) || last == 0xA8 || last == 0xA9 || last == 0xAF) return 3;
  }
  // Ogham space mark, medium mathematical space, ideographic space.
  for (std::string_view three : {"\xE1\x9A\x80", "\xE2\x81\x9F", "\xE3\x80\x80"})
    if (text.starts_with(three)) return 3;
  return 0;
}

/// The words without `removed` of them, joined by blanks.
std::string without(const std::vector<std::string_view>& words, int64_t removed, const RandomKey& key) {
  std::vector<bool> gone(words.size(), false);
  const std::vector<int64_t> order = permutation(key.fork("words"), int64_t(words.size()));
  for (int64_t i = 0; i < removed; ++i) gone[size_t(order[size_t(i)])] = true;
  std::string text;
  for (size_t i = 0; i < words.size(); ++i) {
    if (gone[i]) continue;
    if (!text.empty()) text += ' ';
    text += words[i];
  }
  return text;
}

}  // namespace

std::vector<std::string_view> split_words(std::string_view prompt) {
  std::vector<std::string_view> words;
  size_t begin = 0, at = 0;
  const auto end_word = [&] {
    if (at > begin) words.push_back(prompt.substr(begin, at - begin));
  };
  while (at < prompt.size()) {
    const size_t blank = white_space_at(prompt.substr(at));
    if (blank == 0) {
      ++at;
      continue;
    }
    end_word();
    begin = at += blank;
  }
  end_word();
  return words;
}

std::vector<std::string> random_removal(std::string_view prompt, const RandomKey& key,
                                        const RandomRemovalOptions& options) {
  require<ValueError>(options.min_ratio >= 0 && options.min_ratio <= options.max_ratio && options.max_ratio <= 1,
                      "random_removal: ratios must be 0 <= min <= max <= 1 ({} and {})", options.min_ratio,
                      options.max_ratio);
  require<ValueError>(options.variants >= 0, "random_removal: variants must not be negative ({})", options.variants);
  constexpr int64_t kDrawsPerVariant = 10;
  const std::vector<std::string_view> words = split_words(prompt);
  std::vector<std::string> variants;
  if (words.size() < 2) return variants;
  RandomKey draw = key.fork(prompt);
  for (int64_t i = 0; i < kDrawsPerVariant * options.variants && int64_t(variants.size()) < options.variants; ++i) {
    draw = draw.fork("next");
    double u = 0;
    fill_uniform(draw.fork("ratio"), {1, 1}, &u);
    u = options.min_ratio + u * (options.max_ratio - options.min_ratio);
    const auto removed = int64_t(std::floor(u * double(words.size())));
    const int64_t last = int64_t(words.size()) - 1;  // reached only when rounding takes u to 1
    std::string text = without(words, std::clamp<int64_t>(removed, 1, last), draw);
    if (std::find(variants.begin(), variants.end(), text) == variants.end()) variants.push_back(std::move(text));
  }
  return variants;
}

}  // namespace plumb
