#include "apps/common/plot/axes.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace plumb::plot;

namespace {

constexpr Rect kBox{100, 50, 300, 150};

template <class M>
Panel with(M mark) {
  Panel panel;
  panel.add(std::move(mark));
  return panel;
}

}  // namespace

TEST_CASE("axes: limits follow the settings, else the data with a margin") {
  Panel panel = with(Scatter{.points = {{0, 0}, {10, 4}}});
  panel.y.low = -1;
  Axes axes = fit_axes(panel, kBox);
  CHECK(axes.x.low == -0.5);
  CHECK(axes.x.high == 10.5);
  CHECK(axes.y.low == -1);
  CHECK(axes.at({-0.5, -1}).x == 100);
  CHECK(axes.at({-0.5, -1}).y == 150);
}

TEST_CASE("axes: equal axes have one length a unit and keep the middle") {
  Panel panel = with(Scatter{.points = {{0, 0}, {10, 10}}});
  panel.equal = true;
  Axes axes = fit_axes(panel, kBox);
  Point a = axes.at({5, 5}), b = axes.at({6, 6});
  CHECK(b.x - a.x == doctest::Approx(a.y - b.y));
  CHECK(a.x == doctest::Approx(200));
  CHECK(a.y == doctest::Approx(100));
}

TEST_CASE("axes: values without a place do not move the limits") {
  double nan = std::nan(""), infinity = INFINITY;
  Axes plain = fit_axes(with(Scatter{.points = {{0, 1}, {1, 2}}}), kBox);
  Axes dirty = fit_axes(with(Scatter{.points = {{nan, 9}, {0, 1}, {9, infinity}, {1, 2}}}), kBox);
  CHECK(plain.x.high == dirty.x.high);
  CHECK(plain.y.high == dirty.y.high);
  Panel log = with(Line{.points = {{1, -3}, {2, 0}, {3, 10}, {4, 1000}}});
  log.y.log = true;
  Axes axes = fit_axes(log, kBox);
  CHECK(axes.y.low > 5);
  CHECK(axes.y.low < 10);
  CHECK(std::isnan(axes.y.at(0)));
  CHECK(axes.y.at(100) == doctest::Approx(100));
}

TEST_CASE("axes: empty and constant data still have a range") {
  for (const Panel& panel : {Panel{}, with(Scatter{.points = {{3, 0}}}), with(Line{.points = {{0, 5}, {1, 5}}})}) {
    Axes axes = fit_axes(panel, kBox);
    CHECK(axes.x.low < axes.x.high);
    CHECK(axes.y.low < axes.y.high);
  }
  Panel backwards = with(Scatter{.points = {{0, 0}, {1, 1}}});
  backwards.x.low = 5;
  CHECK(fit_axes(backwards, kBox).x.high > 5);
}
