#include "align/worlds/shapes/caption.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "align/perturb/random_removal.h"
#include "engine/error.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::shapes;
using plumb::test::message_of;

TEST_CASE("shapes caption: texts and what they say") {
  const auto parsed = [](std::string_view text) {
    const auto statement = parse_caption(text);
    REQUIRE_MESSAGE(statement.has_value(), text);
    CHECK(write_caption(*statement) == text);
    return *statement;
  };
  Statement s = parsed("a circle");
  CHECK(s == Statement{.phrases = {{.shape = ShapeKind::circle}}});
  CHECK(category_of(s) == Category::single_object);
  s = parsed("a blurred image of an orange disc to the left of a big azure cross");
  CHECK(s.quality == Quality::blurry);
  CHECK(s.relation == Relation::left);
  CHECK(s.phrases[0] == Phrase{.shape = ShapeKind::circle, .hue = Hue::orange, .shape_word = 1});
  CHECK(s.phrases[1] ==
        Phrase{.shape = ShapeKind::cross, .hue = Hue::blue, .size = Size::large, .hue_word = 1, .size_word = 1});
  CHECK(category_of(s) == Category::position);
  s = parsed("a picture with a pair of red boxes");
  CHECK(s.phrases[0].count == 2);
  CHECK(s.phrases[0].shape == ShapeKind::square);
  CHECK(category_of(s) == Category::counting);
  CHECK(has_held_out_opening(s));
  CHECK_FALSE(has_held_out_opening(parsed("a picture of two pluses")));
  CHECK(category_of(parsed("a single ring")) == Category::counting);
  CHECK(category_of(parsed("a violet wedge")) == Category::colors);
  CHECK(category_of(parsed("a star and a ring")) == Category::two_objects);
  CHECK(category_of(parsed("a white star with a ring")) == Category::color_attribution);
  CHECK(has_held_out_pair(parsed("a ring above a violet wedge"), tiny_world()));
  CHECK_FALSE(has_held_out_pair(parsed("a triangle with a purple circle"), tiny_world()));
}

TEST_CASE("shapes caption: what is outside the grammar is no caption") {
  for (const char* text :
       {"", "a", "circle", "a red", "a circles", "two circle", "a circle and", "a circle and a square and a ring",
        "and a circle", "a blurry circle", "a picture of", "a picture a circle", "a red blue circle",
        "a circle left a square", "A circle", "a pair of circle", "one", "a circle a square"})
    CHECK_MESSAGE(!parse_caption(text), text);
  CHECK(message_of([] { write_caption({}); }) == "shapes: a caption has one or two phrases (0)");
  CHECK(message_of([] { write_caption({.quality = Quality::blurry, .phrases = {{}}}); }) ==
        "shapes: a caption needs an opening to say its quality (blurry)");
  CHECK(message_of([] { write_caption({.phrases = {{.count = 5}}}); }) == "shapes: a caption counts to 4 (5)");
  CHECK(message_of([] { write_caption({.phrases = {{.shape_word = 7}}}); }) == "shapes: no such word of circle (7)");
}

TEST_CASE("shapes caption: every caption is read back, true of its scene, short, and of known words") {
  const std::vector<std::string> words = caption_words();
  CHECK(std::is_sorted(words.begin(), words.end()));
  std::set<std::string> texts;
  for (const World& world : {tiny_world(), full_world()})
    for (uint64_t i = 0; i < 1200; ++i) {
      const Category category = kAllCategories[i % kCategories];
      const RandomKey key = RandomKey{.seed = 11}.at_sample(i);
      const Scene scene = draw_scene(world, category, key);
      Draws draws(key.fork("words"));
      const Statement s = describe(scene, world, category, draws, i % 4 == 0 ? Openings::held_out : Openings::training);
      const std::string text = write_caption(s);
      texts.insert(text);
      CAPTURE(text);
      CHECK(parse_caption(text) == s);
      CHECK(category_of(s) == category);
      CHECK(has_held_out_opening(s) == (i % 4 == 0));
      CHECK_FALSE(has_held_out_pair(s, world));
      for (const std::string_view word : split_words(text))
        CHECK(std::binary_search(words.begin(), words.end(), std::string(word)));
      CHECK(split_words(text).size() <= (world.has_sizes() ? 18 : 16));
      for (size_t p = 0; p < s.phrases.size(); ++p) {
        CHECK(s.phrases[p].shape == scene.objects[p].shape);
        if (s.phrases[p].hue) CHECK(s.phrases[p].hue == scene.objects[p].hue);
        if (s.phrases[p].size) CHECK(s.phrases[p].size == size_of(world, scene.objects[p].radius));
      }
      if (s.phrases.size() == 1) CHECK(s.phrases[0].objects() == int64_t(scene.objects.size()));
      if (s.relation) CHECK(s.relation == relation_of(scene.objects[0], scene.objects[1]));
      if (s.quality) CHECK(s.quality == scene.quality());
    }
  CHECK(texts.size() > 1200);
}
