#include "align/perturb/prompt_variants.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "engine/error.h"
#include "engine/io/file.h"
#include "tests/support/numeric.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using plumb::test::message_of;

namespace {

struct File {
  std::string refusal(const std::string& text) {
    write_file_atomic(path(), text);
    std::string message = message_of([&] { read_rewrites(path()); });
    const std::string begin = path().string();
    if (const size_t at = message.find(begin); at != std::string::npos) message.replace(at, begin.size(), "FILE");
    return message;
  }
  std::filesystem::path path() const { return folder / "rewrites.jsonl"; }
  plumb::test::TempDir folder;
};

}  // namespace

TEST_CASE("rewrite file: read byte for byte, looked up, drawn") {
  File file;
  // Composed and decomposed e with acute are different prompts; other members and the missing last newline do not
  // matter.
  write_file_atomic(file.path(),
                    "{\"prompt\": \"caf\u00e9\", \"neg_prompts\": [\"caf\", \"  tea\\n\"]}\r\n"
                    "{\"neg_prompts\": [\"\", \"\U0001F431\"], \"extra\": [1], \"prompt\": \"cafe\u0301\"}\n"
                    "{\"prompt\": \"\", \"neg_prompts\": [\"\\u732b\"]}");
  const PromptVariants rewrites = read_rewrites(file.path());
  CHECK(rewrites.size() == 3);
  REQUIRE(rewrites.find("caf\u00e9"));
  CHECK(*rewrites.find("caf\u00e9") == std::vector<std::string>{"caf", "  tea\n"});
  CHECK(*rewrites.find("cafe\u0301") == std::vector<std::string>{"", "\U0001F431"});
  CHECK(*rewrites.find("") == std::vector<std::string>{"\u732b"});
  CHECK(rewrites.find("cafe") == nullptr);
  CHECK(rewrites.draw("", {.seed = 1}) == "\u732b");
  CHECK(message_of([&] { rewrites.draw("cafe", {.seed = 1}); }) == "prompt variants: unknown prompt (cafe)");
}

TEST_CASE("rewrite file: errors name file and line") {
  File file;
  const std::string good = "{\"prompt\": \"a b\", \"neg_prompts\": [\"a\"]}\n";
  CHECK(file.refusal(good + "{\"prompt\": \"c\"}\n") == "FILE:2: \"neg_prompts\" is missing");
  CHECK(file.refusal("{\"neg_prompts\": [\"c\"]}") == "FILE:1: \"prompt\" is missing");
  CHECK(file.refusal("{\"prompt\": 3, \"neg_prompts\": [\"c\"]}") == "FILE:1: \"prompt\" must be a string (3)");
  CHECK(file.refusal("{\"prompt\": \"c\", \"neg_prompts\": \"c\"}") ==
        "FILE:1: \"neg_prompts\" must be a list of at least one string (\"c\")");
  CHECK(file.refusal("{\"prompt\": \"c\", \"neg_prompts\": []}") ==
        "FILE:1: \"neg_prompts\" must be a list of at least one string ([])");
  CHECK(file.refusal("{\"prompt\": \"c\", \"neg_prompts\": [\"c\", null]}") ==
        "FILE:1: \"neg_prompts\" must hold strings (null)");
  CHECK(file.refusal(good + good) == "FILE:2: the prompt of line 1 again (a b)");
  CHECK(file.refusal("[\"a\"]") == "FILE:1: must be a JSON object ([\"a\"])");
  CHECK(file.refusal(good + "\n" + good) == "FILE:2: the line is empty");
  CHECK(file.refusal("") == "FILE: the file holds no prompt");
  CHECK(file.refusal(good + "{\"prompt\": \"c\"").find("FILE:2") != std::string::npos);
  CHECK(file.refusal(good + "{\"prompt\": \"\xFF\", \"neg_prompts\": [\"c\"]}").find("FILE:2") != std::string::npos);
  CHECK(file.refusal("{\"prompt\": \"a\", \"prompt\": \"b\", \"neg_prompts\": [\"c\"]}").find("FILE:1") !=
        std::string::npos);
  CHECK(message_of([&] { read_rewrites(file.folder / "nowhere"); }).find("nowhere") != std::string::npos);
}

TEST_CASE("prompt variants: draws are uniform, by row; prompts are known once") {
  PromptVariants variants;
  variants.add("p", {"a", "b", "c"});
  variants.add("none", {});
  std::map<std::string, int> counts;
  constexpr int kDraws = 3000;
  for (uint64_t row = 0; row < kDraws; ++row) ++counts[variants.draw("p", {.seed = 1, .sample0 = row})];
  CHECK(counts.size() == 3);
  for (const auto& [text, count] : counts) CHECK(std::abs(count - kDraws / 3) <= 4 * std::sqrt(kDraws * 2 / 9.0));
  CHECK(variants.draw("p", {.seed = 5, .step = 2}) == variants.draw("p", {.seed = 5, .step = 2}));
  CHECK(message_of([&] { variants.draw("none", {.seed = 1}); }) ==
        "prompt variants: the prompt has no degraded version (none)");
  CHECK(message_of([&] { variants.add("p", {"x"}); }) == "prompt variants: the prompt is known already (p)");
}

TEST_CASE("remove_words: what a prompt gets does not depend on its place or on the others") {
  const RandomKey key{.seed = 9};
  const PromptVariants many = remove_words({"cat", "a red cube on a table", "one two three", "cat"}, key);
  CHECK(many.size() == 3);
  CHECK(many.find("cat")->empty());
  CHECK(*many.find("one two three") == *remove_words({"one two three"}, key).find("one two three"));
  CHECK(*many.find("one two three") == random_removal("one two three", key));
}
