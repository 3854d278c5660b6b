#include "apps/common/plot/color.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace plumb::plot;

TEST_CASE("color: the first twelve classes differ, and then they repeat") {
  for (std::size_t i = 0; i < 12; ++i) {
    for (std::size_t j = 0; j < i; ++j) CHECK(!(class_color(i) == class_color(j)));
    CHECK(class_color(i) == class_color(i + 12));
  }
}

TEST_CASE("color: maps have the right ends, middle and grey for NaN") {
  CHECK(sequential_color(0) == rgb(0x440154));
  CHECK(sequential_color(1) == rgb(0xfde725));
  CHECK(sequential_color(7) == sequential_color(1));
  CHECK(diverging_color(-1) == rgb(0x2166ac));
  CHECK(diverging_color(0) == rgb(0xf7f7f7));
  CHECK(diverging_color(1) == rgb(0xb2182b));
  CHECK(sequential_color(std::nan("")) == rgb(0xbbbbbb));
  CHECK(mix(rgb(0x000000), rgb(0xffffff), 0.5) == rgb(0x808080));
}
