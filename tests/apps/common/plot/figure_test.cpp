#include "apps/common/plot/figure.h"

#include <doctest/doctest.h>

#include <cmath>

#include "apps/common/plot/legend.h"
#include "apps/common/plot/raster.h"
#include "apps/common/plot/svg.h"
#include "engine/error.h"

using namespace plumb;
using namespace plumb::plot;

namespace {

// One panel of every mark, with NaN among the values.
Figure everything() {
  double nan = std::nan("");
  Figure figure;
  figure.title = "everything";
  figure.legend = {{"a", class_color(0)}, {"b", class_color(1)}};
  Panel& clouds = figure.add("clouds", "two of them");
  clouds.equal = true;
  clouds.add(Scatter{.points = {{0, 0}, {1, 1}, {nan, 1}}, .label = "a"});
  clouds.add(Scatter{.points = {{0, 1}}, .color = class_color(1), .label = "b"});
  clouds.add(Crosses{.points = {{0.5, 0.5}}});
  Panel& lines = figure.add("lines");
  lines.y.log = true;
  lines.x.label = "step";
  lines.y.label = "loss";
  lines.add(Line{.points = {{0, 1}, {1, 10}, {2, nan}, {3, 2}}, .spread = {0.1, 20, 1, 1}, .label = "l"});
  lines.add(Line{.points = {{0, 5}, {3, 5}}, .dashed = true});
  figure.add("arrows").add(Arrows{.from = {{0, 0}, {1, 1}}, .by = {{1, 0}, {0, nan}}});
  figure.add("bars").add(
      Bars{.names = {"a long name", "another long name", "x"}, .heights = {1, -2, 3}, .errors = {0.1, 0.2, nan}});
  figure.add("heat").add(HeatMap{.values = {1, nan, 3, 4}, .columns = 2});
  figure.add("nothing");
  return figure;
}

}  // namespace

TEST_CASE("plot: the legend under a figure is broken into lines that fit") {
  Figure figure;
  figure.columns = 1;
  figure.add("one").add(Line{.points = {{0, 0}, {1, 1}}});
  const double plain = layout(figure).height;
  figure.legend.emplace_back("name", class_color(0));
  const double one_line = layout(figure).height;
  CHECK(one_line > plain);
  for (int i = 0; i < 30; ++i) figure.legend.emplace_back("a method", class_color(std::size_t(i)));
  const Scene scene = layout(figure);
  CHECK(scene.height > one_line);
  std::size_t names = 0;
  for (const SceneItem& item : scene.items)
    if (const Label* label = std::get_if<Label>(&item.shape); label && label->text == "a method") {
      ++names;
      CHECK(label->at.x > 0);
      CHECK(label->at.x < scene.width);
      CHECK(label->at.y < scene.height);
    }
  CHECK(names == 30);
}

TEST_CASE(
    "plot: a legend beside the axes widens the figure, in the axes' height when that is asked for, and covers no "
    "data") {
  Figure figure;
  figure.columns = 1;
  Panel& panel = figure.add("one");
  panel.legend = Legend::beside;
  panel.add(Line{.points = {{0, 0}, {1, 1}}});
  const double plain = layout(figure).width;
  for (int i = 0; i < 30; ++i) panel.add(Line{.points = {{0, i / 30.0}, {1, 1}}, .label = "a row"});
  figure.panel_height = std::max(figure.panel_height, legend_height(panel));
  const Scene scene = layout(figure);
  CHECK(scene.width == doctest::Approx(plain + legend_width(panel)));
  std::size_t names = 0;
  for (const SceneItem& item : scene.items)
    if (const Label* label = std::get_if<Label>(&item.shape); label && label->text == "a row") {
      ++names;
      CHECK(label->at.x > scene.width - legend_width(panel));
      CHECK(label->at.y < scene.height);
    }
  CHECK(names == 30);
}

TEST_CASE("figure: everything is drawn inside the picture, twice the same") {
  Scene scene = layout(everything());
  Canvas canvas = rasterize(scene, 1);
  CHECK(canvas.width() == std::lround(scene.width));
  CHECK(canvas.pixels() == rasterize(layout(everything()), 1).pixels());
  CHECK(to_svg(scene) == to_svg(layout(everything())));
  std::size_t inked = 0;
  for (uint8_t value : canvas.pixels()) inked += value != 255;
  CHECK(inked > 10000);
  // The outermost pixels stay white: nothing is cut off.
  auto row = static_cast<std::size_t>(canvas.width() * 3);
  for (std::size_t i = 0; i < row; ++i) {
    REQUIRE(canvas.pixels()[i] == 255);
    REQUIRE(canvas.pixels()[canvas.pixels().size() - 1 - i] == 255);
  }
}

TEST_CASE("figure: clouds that overlap are mixed, not hidden by the last") {
  Figure figure;
  Panel& panel = figure.add("");
  panel.legend = Legend::none;
  Scatter red{.color = rgb(0xff0000), .radius = 60, .alpha = 0.1},
      blue{.color = rgb(0x0000ff), .radius = 60, .alpha = 0.1};
  for (int i = 0; i < 100; ++i) red.points.push_back({0, 0}), blue.points.push_back({0, 0});
  panel.add(red);
  panel.add(blue);
  Scene scene = layout(figure);
  Canvas canvas = rasterize(scene, 1);
  // No green: under all the discs.
  std::size_t most_red = 0;
  for (std::size_t i = 0; i + 2 < canvas.pixels().size(); i += 3) {
    if (canvas.pixels()[i + 1] < 10 && canvas.pixels()[i] > most_red) most_red = canvas.pixels()[i];
  }
  CHECK(most_red > 30);  // stacked, the last 100 layers would leave 255 * 0.9^100 = 0
}

TEST_CASE("figure: refuses marks whose lists disagree") {
  Figure none;
  CHECK_THROWS_WITH_AS(layout(none), "plot: a figure has panels and columns (0 panels, 3 columns)", ValueError);
  auto fails = [](auto mark) {
    Figure figure;
    figure.add("x").add(std::move(mark));
    CHECK_THROWS_AS(layout(figure), ValueError);
  };
  fails(Line{.points = {{0, 0}, {1, 1}}, .spread = {1}});
  fails(Arrows{.from = {{0, 0}}, .by = {}});
  fails(Bars{.names = {"a"}, .heights = {1, 2}});
  fails(HeatMap{.values = {1, 2, 3}, .columns = 2});
  fails(HeatMap{.values = {}, .columns = 0});
}

TEST_CASE("figure: a picture too large is refused before it is made") {
  Scene scene = layout(everything());
  CHECK_THROWS_AS(rasterize(scene, 1e6), ValueError);
  CHECK_THROWS_AS(rasterize(scene, 0), ValueError);
}
