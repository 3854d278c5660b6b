#include "align/worlds/shapes/rewrite.h"

#include <doctest/doctest.h>

#include <set>

#include "align/perturb/random_removal.h"
#include "align/worlds/shapes/prompts.h"
#include "engine/error.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::shapes;
using plumb::test::message_of;

TEST_CASE("shapes rewrite: a swap keeps the wording and changes the meaning") {
  const World world = tiny_world();
  for (const std::string& prompt : draw_prompts(world, {.seed = 2}, 90, {.held_out = PromptOptions::HeldOut::with})) {
    const std::vector<std::string> rewrites = swap_rewrites(prompt, world, {.seed = 1});
    CAPTURE(prompt);
    CHECK(rewrites.size() >= 3);
    CHECK(std::set(rewrites.begin(), rewrites.end()).size() == rewrites.size());
    const Statement before = *parse_caption(prompt);
    for (const std::string& rewrite : rewrites) {
      CHECK(rewrite != prompt);
      const auto after = parse_caption(rewrite);
      REQUIRE(after);
      CHECK(after->opening == before.opening);
      CHECK(category_of(*after) == category_of(before));
      CHECK(after->phrases.size() == before.phrases.size());
    }
    CHECK(swap_rewrites(prompt, world, {.seed = 1}) == rewrites);
  }
  CHECK(swap_rewrites("a circle", world, {.seed = 1}, 2).size() == 2);
  CHECK(message_of([&] { swap_rewrites("a cat", world, {}); }) ==
        "shapes rewrite: the prompt must be of the grammar of captions (a cat)");
}

TEST_CASE("shapes rewrite: worse quality of the same") {
  CHECK(quality_rewrites("a picture of two circles") ==
        std::vector<std::string>{"a blurry picture of two circles", "a blurred picture of two circles"});
  CHECK(quality_rewrites("a sharp image of a ring", 1) == std::vector<std::string>{"a blurry image of a ring"});
  CHECK(quality_rewrites("a red cross") ==
        std::vector<std::string>{"a blurry picture of a red cross", "a blurred picture of a red cross",
                                 "a blurry image of a red cross", "a blurred image of a red cross",
                                 "a blurry drawing of a red cross"});
  CHECK(quality_rewrites("a blurred image of a ring").empty());
}
