#include "apps/common/plot/svg.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "apps/common/plot/figure.h"

using namespace plumb::plot;

namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("svg: text is escaped and numbers are short") {
  Scene scene;
  scene.width = scene.height = 10;
  scene.title = "a < b & c";
  scene.add(Label{{1.25, 2}, "x > \"y\"\x01", 12});
  scene.add(Strokes{{{{0, 0}, {-0.04, 10.06}}}, 1, kInk, 0});
  std::string text = to_svg(scene);
  CHECK(text.find("<title>a &lt; b &amp; c</title>") != std::string::npos);
  CHECK(text.find(">x &gt; \"y\"</text>") != std::string::npos);
  CHECK(text.find("d=\"M0 0L0 10.1\"") != std::string::npos);
}

TEST_CASE("svg: dots of a mark are one path of relative moves that return to their places") {
  Scene scene;
  scene.width = scene.height = 10;
  scene.add(Dots{{{1, 2}, {3.5, 1}, {0.5, 4}}, 1, kInk});
  CHECK(to_svg(scene).find("d=\"m3.5 1h0m-2.5 1h0m-.5 2h0\"") != std::string::npos);
}

TEST_CASE("svg: a crowded picture keeps an even selection") {
  Scene scene;
  scene.width = scene.height = 1000;
  Dots dots;
  for (int i = 0; i < 100000; ++i) dots.points.push_back({i % 1000 * 1.0, i / 1000 * 10.0});
  scene.add(dots);
  scene.add(dots);
  std::string text = to_svg(scene);
  CHECK(count(text, "h0") <= kMostDots + 2);
  CHECK(count(text, "h0") > kMostDots / 2);
  CHECK(text.size() < 500000);
}

TEST_CASE("svg: every element that opens is closed") {
  Figure figure;
  Panel& panel = figure.add("t", "c");
  panel.add(Scatter{.points = {{0, 0}, {1, 1}}, .label = "cloud"});
  panel.add(HeatMap{.values = {1, 2, 3, 4}, .columns = 2});
  std::string text = to_svg(layout(figure));
  CHECK(count(text, "<g") == count(text, "</g>"));
  CHECK(count(text, "<text") == count(text, "</text>"));
  CHECK(count(text, "\"") % 2 == 0);
  CHECK(text.ends_with("</svg>\n"));
}
