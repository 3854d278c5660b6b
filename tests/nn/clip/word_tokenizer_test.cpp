// Ids against transformers (tests/golden/make_word_tokenizer_cases.py).

#include "nn/clip/word_tokenizer.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "engine/error.h"
#include "engine/io/file.h"
#include "engine/io/json.h"
#include "engine/random/random_key.h"
#include "nn/clip/clip_words.h"
#include "nn/clip/tokenizer.h"
#include "tests/support/golden.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

ClipTokenizer made(const std::vector<std::string>& texts, const WordTokenizerOptions& options = {}) {
  return ClipTokenizer::from_files(word_tokenizer(texts, options), "made");
}

int64_t tokens_of(const ClipTokenizer& tokenizer, const std::string& text) {
  return int64_t(tokenizer.encode(text).size()) - 2;
}

Json golden() { return Json::parse(read_file(std::filesystem::path(golden_path("word_tokenizer")) / "cases.json")); }

std::vector<std::string> strings_of(const Json& list) {
  std::vector<std::string> strings;
  for (const Json& each : list.as_array()) strings.push_back(each.as_string());
  return strings;
}

}  // namespace

TEST_CASE("word_tokenizer: transformers reads the folder to the same ids and texts") {
  const Json cases = golden();
  const ClipTokenizer tokenizer = made(strings_of(cases.at("captions")));
  CHECK(tokenizer.size() == cases.at("size").as_integer());
  CHECK(tokenizer.length() == cases.at("length").as_integer());
  CHECK(cases.at("cases").size() > 20);
  for (const Json& entry : cases.at("cases").as_array()) {
    const std::string text = entry.at("text").as_string();
    CAPTURE(text);
    std::vector<int64_t> expected;
    for (const Json& id : entry.at("ids").as_array()) expected.push_back(id.as_integer());
    CHECK(tokenizer.encode(text, tokenizer.length()) == expected);
    CHECK(tokenizer.decode(expected) == entry.at("decoded").as_string());
  }
}

TEST_CASE("word_tokenizer: every word of the texts is one token, whatever the words have in common") {
  // Merges of one word are in the way of another's: "an" of "banana", "ab" twice in "abab".
  const std::vector<std::string> texts = {"an and ana banana bandana nana anand",
                                          "ab abab ababab babab aab bba abba",
                                          "it's 3 x 42 circles, it'll do!!! (...) ring/star",
                                          "café 日本語 мир 😀",
                                          "left of lefty of off offer offers coffee",
                                          "a b c"};
  const ClipTokenizer tokenizer = made(texts);
  for (const std::string& text : texts) {
    CAPTURE(text);
    const std::vector<std::string> words = clip_words(text);
    CHECK(tokens_of(tokenizer, text) == int64_t(words.size()));
    for (const std::string& word : words) {
      CAPTURE(word);
      CHECK(tokens_of(tokenizer, word) == 1);
    }
  }
  CHECK(clip_words("It's 42  BIG!! rings.") ==
        std::vector<std::string>{"it", "'s", "4", "2", "big", "!!", "rings", "."});
}

TEST_CASE("word_tokenizer: words of many kinds at random, and other words are spelled") {
  uint64_t state = 7;
  const auto next = [&](uint64_t count) { return (state = mix64(state)) % count; };
  std::vector<std::string> texts;
  for (int i = 0; i < 60; ++i) {
    std::string text;
    for (uint64_t word = 0; word < 6; ++word) {
      for (uint64_t length = 1 + next(9); length > 0; --length) text += char('a' + next(3));
      text += ' ';
    }
    texts.push_back(text);
  }
  const ClipTokenizer tokenizer = made(texts);
  for (const std::string& text : texts) CHECK(tokens_of(tokenizer, text) == 6);
  for (const std::string& other : {std::string("zebra"), std::string("cabbage 7 жук"), std::string("\x01?")}) {
    CAPTURE(other);
    const std::vector<int64_t> ids = tokenizer.encode(other);
    CHECK(std::count(ids.begin() + 1, ids.end() - 1, tokenizer.eos()) == 0);
    CHECK(tokens_of(tokenizer, other) > 1);
  }
  CHECK(tokenizer.decode(tokenizer.encode("zebra жук")) == "zebra жук");
}

TEST_CASE("word_tokenizer: a function of the texts in any order; the frequent words, and the longest text's length") {
  const std::vector<std::string> texts = {"one two three four five six", "two three", "", "three"};
  const std::vector<std::string> turned(texts.rbegin(), texts.rend());
  CHECK(word_tokenizer(texts) == word_tokenizer(turned));
  CHECK(made(texts).length() == 8);
  CHECK(made({"one two three four five six seven"}).length() == 16);
  CHECK(made({"one two three four five six seven"}, {.most_tokens = 9}).length() == 9);
  const ClipTokenizer two = made(texts, {.most_words = 2});
  CHECK(tokens_of(two, "three") == 1);
  CHECK(tokens_of(two, "two") == 1);
  CHECK(tokens_of(two, "four") > 1);
  const ClipTokenizer all = made(texts);
  CHECK(all.bos() == all.size() - 2);
  CHECK(all.eos() == all.size() - 1);
  CHECK(all.pad() == all.eos());
}

TEST_CASE("word_tokenizer: refuses texts without words, and what is no text") {
  CHECK_THROWS_WITH_AS(word_tokenizer({}), "word tokenizer: there must be a word in the texts (0 texts)", ValueError);
  const std::vector<std::string> blank = {"", " \n"};
  CHECK_THROWS_AS(word_tokenizer(blank), ValueError);
  const std::vector<std::string> broken = {"a", "\xff"};
  CHECK_THROWS_AS(word_tokenizer(broken), ValueError);
}
