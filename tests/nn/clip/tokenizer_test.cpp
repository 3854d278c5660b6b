// Against transformers (tests/golden/make_tokenizer_cases.py).

#include "nn/clip/tokenizer.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <optional>

#include "engine/io/file.h"
#include "engine/io/json.h"
#include "engine/random/random_key.h"
#include "nn/clip/unicode.h"
#include "tests/nn/clip/golden_tokenizer.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace fs = std::filesystem;

namespace {

std::vector<int64_t> ids_of(const Json& list) {
  std::vector<int64_t> ids;
  for (const Json& id : list.as_array()) ids.push_back(id.as_integer());
  return ids;
}

void check_case(const ClipTokenizer& tokenizer, const Json& entry) {
  const std::string text = entry.at("text").as_string();
  CAPTURE(entry.at("folder").as_string());
  CAPTURE(text);
  const std::vector<int64_t> ids = tokenizer.encode(text), expected = ids_of(entry.at("ids"));
  CHECK(fmt::format("{}", fmt::join(ids, " ")) == fmt::format("{}", fmt::join(expected, " ")));
  const std::vector<int64_t> fitted = tokenizer.encode(text, tokenizer.length());
  CHECK(int64_t(fitted.size()) == entry.at("length").as_integer());
  CHECK(std::vector<int64_t>(fitted.end() - 2, fitted.end()) == ids_of(entry.at("tail")));
  CHECK(tokenizer.decode(expected) == entry.at("decoded").as_string());
  CHECK(tokenizer.decode(expected, false) == entry.at("decoded_all").as_string());
}

/// As the script's swept().
bool is_swept(char32_t code) {
  if (code >= 0xD800 && code < 0xE000) return false;
  return code < 0x3400 || (code >= 0xA000 && code < 0xAC80) || (code >= 0xF900 && code < 0x1FA00) || code % 97 == 0;
}

void write(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

}  // namespace

TEST_CASE("ClipTokenizer: ids, lengths and texts agree with transformers, for every kind of folder") {
  const TempDir root;
  const Json golden = Json::parse(read_file(golden_tokenizer() / "cases.json"));
  std::string present;
  std::optional<ClipTokenizer> tokenizer;
  for (const Json& entry : golden.at("cases").as_array()) {
    if (const std::string folder = entry.at("folder").as_string(); folder != present) {
      present = folder;
      const fs::path path = root.path() / folder;
      tokenizer.emplace(ClipTokenizer::load(fs::exists(path) ? path : assemble_tokenizer(root, folder)));
    }
    check_case(*tokenizer, entry);
  }
}

TEST_CASE("ClipTokenizer: characters of every script agree with transformers") {
  const TempDir root;
  const ClipTokenizer tokenizer = ClipTokenizer::load(assemble_tokenizer(root, "padded_by_end"));
  const Json golden = Json::parse(read_file(golden_tokenizer() / "cases.json"));
  for (const Json& block : golden.at("sweep").as_array()) {
    const auto begin = char32_t(block.at("begin").as_integer());
    CAPTURE(begin);
    std::string text;
    for (char32_t code = begin; code < begin + 1024; ++code) {
      if (!is_swept(code)) continue;
      append_utf8(text, code), text += 'e', append_utf8(text, code), text += ' ';
    }
    const std::string ids = fmt::format("{}", fmt::join(tokenizer.encode(text), ","));
    CHECK(fmt::format("{:016x}", fnv1a64(ids)) == block.at("hash").as_string());
  }
}

TEST_CASE("ClipTokenizer: tokens whose bytes are no text read as transformers reads them") {
  const TempDir root;
  const ClipTokenizer tokenizer = ClipTokenizer::load(assemble_tokenizer(root, "padded_by_end"));
  const Json golden = Json::parse(read_file(golden_tokenizer() / "cases.json"));
  for (const Json& entry : golden.at("scrambled").as_array())
    CHECK(tokenizer.decode(ids_of(entry.at("ids")), false) == entry.at("text").as_string());
}

TEST_CASE("ClipTokenizer: a batch is rows of one length; its files are written as they were read") {
  const TempDir root;
  const fs::path folder = assemble_tokenizer(root, "padded_by_mark");
  const ClipTokenizer tokenizer = ClipTokenizer::load(folder);
  const std::vector<std::string> texts{"a cat", "", "the street photo"};
  const Tensor ids = tokenizer.encode(texts);
  CHECK(ids.shape() == Shape{3, 77});
  const std::vector<int64_t> values = ids.to_vector<int64_t>();
  CHECK(std::vector<int64_t>(values.begin(), values.begin() + 77) == tokenizer.encode("a cat", 77));
  CHECK(values[77] == tokenizer.bos());
  CHECK(values[78] == tokenizer.eos());
  CHECK(values[79] == tokenizer.pad());
  CHECK(tokenizer.pad() == 0);
  CHECK(tokenizer.encode(std::vector<std::string>{}).shape() == Shape{0, 77});
  CHECK(tokenizer.encode("a b c", 2) == std::vector<int64_t>{tokenizer.bos(), tokenizer.eos()});

  tokenizer.save(root.path() / "written");
  for (const auto& entry : fs::directory_iterator(folder))
    CHECK(read_file(entry.path()) == read_file(root.path() / "written" / entry.path().filename()));
  const ClipTokenizer copy = tokenizer;
  CHECK(copy.decode(copy.encode("a cat")) == "a cat");
}

TEST_CASE("ClipTokenizer: bytes that are no text, numbers without a token, and broken folders") {
  const TempDir root;
  const fs::path folder = assemble_tokenizer(root, "padded_by_end");
  const ClipTokenizer tokenizer = ClipTokenizer::load(folder);
  CHECK(message_of([&] { tokenizer.encode("a\xff"); }) == "text: must be UTF-8");
  CHECK(message_of([&] { tokenizer.encode("a", 1); }) == "tokenizer: length must be at least 2 (1)");
  CHECK(tokenizer.decode(std::vector<int64_t>{-1, 1 << 20}) == "");

  auto broken = [&](const char* file, const std::string& content) {
    const TempDir other;
    const fs::path path = assemble_tokenizer(other, "padded_by_end");
    write(path / file, content);
    const std::string message = message_of([&] { ClipTokenizer::load(path); });
    CHECK(message.find(path.string()) != std::string::npos);
    return message;
  };
  CHECK(broken("merges.txt", "#version: 0.2\na b c\n").find("a merge must be two tokens (line 2: \"a b c\")") !=
        std::string::npos);
  CHECK(broken("merges.txt", "q qq\n").find("the vocabulary lacks a token of merge 1") != std::string::npos);
  CHECK(broken("vocab.json", "{\"a\": 1, \"b\": 1}").find("an id is given twice") != std::string::npos);
  CHECK(broken("vocab.json", "{\"a\": -1}").find("ids must not be negative (-1, \"a\")") != std::string::npos);
  CHECK(broken("vocab.json", "{\"a\": ").find("vocab.json") != std::string::npos);
  CHECK(broken("tokenizer_config.json", R"({"padding_side": "left"})").find("padding_side is not supported") !=
        std::string::npos);
  CHECK(broken("tokenizer_config.json", R"({"model_max_length": 1})").find("model_max_length must be at least 2") !=
        std::string::npos);
  CHECK(broken("special_tokens_map.json", R"({"bos_token": {"content": "x", "lstrip": true}})")
            .find("lstrip of a token is not supported (\"x\")") != std::string::npos);
  fs::remove(folder / "merges.txt");
  CHECK(message_of([&] { ClipTokenizer::load(folder); }).ends_with("or tokenizer.json"));
}
