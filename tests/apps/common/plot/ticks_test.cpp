#include "apps/common/plot/ticks.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace plumb::plot;

namespace {

std::string joined(const std::vector<Tick>& ticks) {
  std::string text;
  for (const Tick& tick : ticks) text.append(text.empty() ? "" : " ").append(tick.text);
  return text;
}

}  // namespace

TEST_CASE("ticks: are multiples of 1, 2 or 5 with one number of decimals") {
  CHECK(joined(linear_ticks(-4, 4, 5)) == "-4 -2 0 2 4");
  CHECK(joined(linear_ticks(0, 1, 5)) == "0 0.2 0.4 0.6 0.8 1.0");
  CHECK(joined(linear_ticks(0.013, 0.087, 4)) == "0.02 0.04 0.06 0.08");
  CHECK(joined(linear_ticks(0, 4000, 4)) == "0 1000 2000 3000 4000");
  CHECK(joined(linear_ticks(0, 2e6, 4)) == "0 5.0e5 1.0e6 1.5e6 2.0e6");
  CHECK(joined(linear_ticks(-2e-4, 2e-4, 4)) == "-2e-4 -1e-4 0 1e-4 2e-4");
}

TEST_CASE("ticks: log axes have powers of ten, and 2 and 5 on short ones") {
  CHECK(joined(log_ticks(1e-3, 10, 6)) == "0.001 0.01 0.1 1 10");
  CHECK(joined(log_ticks(1, 20, 6)) == "1 2 5 10 20");
  CHECK(joined(log_ticks(1e-12, 1e6, 4)) == "1e-12 1e-7 0.01 1000");
}

TEST_CASE("ticks: impossible ranges have none") {
  double infinity = std::numeric_limits<double>::infinity();
  for (auto [low, high] :
       {std::pair{1.0, 1.0}, {2.0, 1.0}, {std::nan(""), 1.0}, {0.0, infinity}, {1e300, 1e300 * 1.0000000000000002}}) {
    CHECK(linear_ticks(low, high, 5).empty());
    CHECK(log_ticks(low, high, 5).size() <= 1);
  }
  CHECK(log_ticks(0, 1, 5).empty());
  CHECK(linear_ticks(0, 1, 0).empty());
  CHECK(linear_ticks(-1e308, 1e308, 5).empty());
}
