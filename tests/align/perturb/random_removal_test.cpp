#include "align/perturb/random_removal.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <set>

#include "engine/error.h"
#include "tests/support/numeric.h"

using namespace plumb;
using plumb::test::message_of;

namespace {

using Words = std::vector<std::string_view>;

/// Whether `part` is `whole` with words left out.
bool is_subsequence(const Words& part, const Words& whole) {
  size_t i = 0;
  for (std::string_view word : whole)
    if (i < part.size() && part[i] == word) ++i;
  return i == part.size();
}

constexpr const char* kTen = "a b c d e f g h i j";

}  // namespace

TEST_CASE("split_words: Python's white space, bytes kept") {
  CHECK(split_words("") == Words{});
  CHECK(split_words(" \t\n") == Words{});
  CHECK(split_words("one") == Words{"one"});
  CHECK(split_words("  a  red\tcube\r\n") == Words{"a", "red", "cube"});
  CHECK(split_words("caf\u00e9 \u732b\u3000\U0001F431\u00a0x\u2003y\u2029z") ==
        Words{"caf\u00e9", "\u732b", "\U0001F431", "x", "y", "z"});
  CHECK(split_words("zero\u200bwidth na\u00efve-word") ==
        Words{"zero\u200bwidth", "na\u00efve-word"});  // no white space
  CHECK(split_words("\xFF\xC2 \xE2\x80") == Words{"\xFF\xC2", "\xE2\x80"});
}

TEST_CASE("random_removal: fewer than two words have no variants") {
  CHECK(random_removal("", {.seed = 1}).empty());
  CHECK(random_removal("cat", {.seed = 1}).empty());
  CHECK(random_removal("  cat \n", {.seed = 1}).empty());
  CHECK(random_removal("a cat", {.seed = 1}, {.variants = 0}).empty());
}

TEST_CASE("random_removal: of two words each one, of three the six proper parts, of equal words one") {
  const auto as_set = [](const std::vector<std::string>& list) {
    return std::set<std::string>(list.begin(), list.end());
  };
  CHECK(as_set(random_removal("red cat", {.seed = 1})) == std::set<std::string>{"red", "cat"});
  CHECK(as_set(random_removal("x x", {.seed = 1})) == std::set<std::string>{"x"});
  // floor(3u) is 1 for u < 2/3 and 2 above.
  CHECK(as_set(random_removal("a b c", {.seed = 1}, {.variants = 20})) ==
        std::set<std::string>{"a b", "a c", "b c", "a", "b", "c"});
}

TEST_CASE("random_removal: variants differ, keep the order, and lose max(1, floor(u n)) words") {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const auto variants = random_removal("  the\u00a0quick brown  fox jumps over the lazy dog ", {.seed = seed});
    CHECK(variants.size() == 5);
    CHECK(std::set<std::string>(variants.begin(), variants.end()).size() == 5);
    for (const std::string& variant : variants) {
      const Words words = split_words(variant);
      CHECK((words.size() >= 3 && words.size() <= 6));  // floor(9u) is 3 to 6
      CHECK(is_subsequence(words, split_words("the quick brown fox jumps over the lazy dog")));
      CHECK(variant.find("  ") == std::string::npos);
    }
  }
}

TEST_CASE("random_removal: u is uniform and words are chosen uniformly") {
  // floor(10u) is 4, 5 or 6, each a third of the time; a word goes with probability 1/2.
  std::map<size_t, int> kept;
  std::map<std::string_view, int> seen;
  constexpr int kDraws = 6000;
  for (uint64_t seed = 0; seed < kDraws; ++seed) {
    const std::string variant = random_removal(kTen, {.seed = seed}, {.variants = 1})[0];
    const Words words = split_words(variant);
    ++kept[words.size()];
    for (std::string_view word : words) ++seen[std::string_view(kTen).substr(std::string_view(kTen).find(word), 1)];
  }
  CHECK(kept.size() == 3);
  for (const auto& [count, times] : kept) CHECK(std::abs(times - kDraws / 3) <= 4 * std::sqrt(kDraws * 2 / 9.0));
  CHECK(seen.size() == 10);
  for (const auto& [word, times] : seen) CHECK(std::abs(times - kDraws / 2) <= 4 * std::sqrt(kDraws / 4.0));
}

TEST_CASE("random_removal: a function of key, prompt and options") {
  const auto variants = random_removal(kTen, {.seed = 3});
  CHECK(random_removal(kTen, {.seed = 3}) == variants);
  CHECK(random_removal(kTen, {.seed = 4}) != variants);
  CHECK(random_removal(kTen, {.seed = 3, .step = 1}) != variants);
  const auto fewer = random_removal(kTen, {.seed = 3}, {.variants = 2});
  CHECK(fewer == std::vector<std::string>(variants.begin(), variants.begin() + 2));
  for (const std::string& all_but_one : random_removal(kTen, {.seed = 3}, {.min_ratio = 1, .max_ratio = 1}))
    CHECK(split_words(all_but_one).size() == 1);
  CHECK(message_of([] { random_removal("a b", {.seed = 1}, {.min_ratio = 0.8}); }) ==
        "random_removal: ratios must be 0 <= min <= max <= 1 (0.8 and 0.7)");
  CHECK_THROWS_AS(random_removal("a b", {.seed = 1}, {.max_ratio = 1.5}), ValueError);
  CHECK_THROWS_AS(random_removal("a b", {.seed = 1}, {.variants = -1}), ValueError);
}
