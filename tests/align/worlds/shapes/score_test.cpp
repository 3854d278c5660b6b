#include "align/worlds/shapes/score.h"

#include <doctest/doctest.h>

#include <cmath>

#include "align/worlds/shapes/prompts.h"
#include "align/worlds/shapes/render.h"

using namespace plumb;
using namespace plumb::shapes;

namespace {

Object at(ShapeKind shape, Hue hue, double x, double y, double radius = 6) { return {shape, hue, x, y, radius}; }

const Object kRedCircle = at(ShapeKind::circle, Hue::red, 8, 16),
             kBlueSquare = at(ShapeKind::square, Hue::blue, 24, 15);
const Object kBlueCircle = at(ShapeKind::circle, Hue::blue, 24, 15),
             kRedSquare = at(ShapeKind::square, Hue::red, 8, 16);

Score score_of(const char* caption, const std::vector<Object>& objects, const World& world = tiny_world()) {
  const auto statement = parse_caption(caption);
  REQUIRE_MESSAGE(statement, caption);
  return score(*statement, {.readable = true, .scene = {.objects = objects}}, world);
}

/// "met/all", and a + when correct, a ? when only the other objects are wrong.
std::string verdict(const char* caption, const std::vector<Object>& objects, const World& world = tiny_world()) {
  const Score s = score_of(caption, objects, world);
  const Requirements r = requirements_met(*parse_caption(caption), objects, world);
  CHECK(s.partial == (objects.empty() ? 0 : double(r.met) / double(r.all)));
  return std::to_string(r.met) + "/" + std::to_string(r.all) + (s.correct ? "+" : s.found ? "?" : "");
}

}  // namespace

TEST_CASE("shapes score: requirements by hand") {
  CHECK(verdict("a circle", {kRedCircle}) == "2/2+");
  CHECK(verdict("a circle", {kRedSquare}) == "0/2");
  CHECK(verdict("a circle", {kRedCircle, kBlueSquare}) == "1/2?");
  CHECK(verdict("a circle", {}) == "0/2");
  CHECK(verdict("a red circle", {kRedCircle}) == "3/3+");
  CHECK(verdict("a red circle", {kBlueCircle}) == "2/3");
  CHECK(verdict("a red circle", {kBlueSquare}) == "0/3");
  CHECK(verdict("a red circle", {kBlueCircle, kRedCircle}) == "2/3?");
  CHECK(verdict("a red circle and a blue square", {kBlueSquare, kRedCircle}) == "5/5+");
  CHECK(verdict("a red circle and a blue square", {kBlueCircle, kRedSquare}) == "3/5");
  CHECK(verdict("a red circle and a blue square", {kRedCircle}) == "3/5");
  CHECK(verdict("a circle left of a square", {kRedCircle, kBlueSquare}) == "4/4+");
  CHECK(verdict("a circle right of a square", {kRedCircle, kBlueSquare}) == "3/4");
  CHECK(verdict("a square above a circle", {kRedCircle, kBlueSquare}) == "3/4");
  CHECK(verdict("a circle left of a square", {kRedCircle}) == "2/4");
  CHECK(verdict("two circles", {kRedCircle, kBlueCircle}) == "3/3+");
  CHECK(verdict("two circles", {kRedCircle}) == "2/3");
  CHECK(verdict("two circles", {kRedCircle, kBlueCircle, kBlueSquare}) == "2/3?");
  CHECK(verdict("two circles", {kRedCircle, kBlueCircle, at(ShapeKind::circle, Hue::cyan, 16, 28)}) == "1/3");
  CHECK(verdict("two red circles", {kRedCircle, kBlueCircle}) == "3/4");
  CHECK(verdict("one circle", {kRedCircle}) == "3/3+");
  CHECK(verdict("one circle", {kRedCircle, kBlueCircle}) == "1/3");
  const World full = full_world();
  CHECK(verdict("a small circle", {at(ShapeKind::circle, Hue::red, 8, 8, 7)}, full) == "3/3+");
  CHECK(verdict("a large circle", {at(ShapeKind::circle, Hue::red, 8, 8, 7)}, full) == "2/3");
}

TEST_CASE("shapes score: unreadable and empty pictures score nothing; quality is no requirement") {
  const Statement caption = *parse_caption("a blurry picture of a circle");
  const Score unreadable = score(caption, {.readable = false, .problem = "shape", .residual = 0.3}, tiny_world());
  CHECK(unreadable.unreadable);
  CHECK_FALSE(unreadable.correct);
  CHECK(unreadable.partial == 0);
  CHECK(unreadable.residual == 0.3);
  CHECK(score_of("a circle", {}).partial == 0);
  CHECK_FALSE(score_of("a circle", {}).unreadable);
  CHECK(score_of("a blurry picture of a circle", {kRedCircle}).correct);
  const std::vector<Object> many(9, kRedCircle);
  CHECK_FALSE(score_of("a circle", many).correct);
}

TEST_CASE("shapes score: true captions are correct of their pictures, and what noise changed is not") {
  for (const World& world : {tiny_world(), full_world()}) {
    int64_t changed = 0, still_right = 0;
    constexpr int64_t kExamples = 120;
    for (int64_t i = 0; i < kExamples; ++i) {
      const Example example = draw_example(world, {.seed = 31}, i);
      const Reading reading = analyse(render(example.scene, world.picture_size), world);
      const Score clean = score(*parse_caption(example.clean), reading, world);
      CAPTURE(example.clean);
      CAPTURE(to_json(reading).dump());
      CAPTURE(reading.misfit);
      CAPTURE(reading.next_misfit);
      CHECK(clean.correct);
      CHECK(clean.partial == 1);
      CHECK(clean.category == example.category);
      if (!example.faults.swapped && !example.faults.miscounted) continue;
      ++changed;
      still_right += score(*parse_caption(example.caption), reading, world).correct;
    }
    CHECK(changed > 10);
    CHECK(still_right <= 2);  // what was swapped may be left out afterwards
  }
}
