#include "apps/gradcheck/op_cases.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "apps/common/exit_codes.h"
#include "apps/gradcheck/check.h"
#include "apps/op/op_table.h"

using namespace plumb;

namespace {

const RandomKey kKey{.seed = 11};

std::vector<double> values_of(Values values, int64_t count = 2000) {
  return make_input({values, {count}}, kKey).to_vector<double>();
}

}  // namespace

TEST_CASE("gradcheck verb: every op of the table has cases, or is known to have no gradient") {
  for (const OpEntry& op : op_table()) {
    CAPTURE(op.name);
    CHECK(cases_of(op.name).empty() == has_no_gradient(op.name));
  }
}

TEST_CASE("gradcheck verb: inputs keep away from kinks and inside domains") {
  for (double x : values_of(Values::positive)) CHECK((x >= 0.3 && x <= 2.3));
  for (double x : values_of(Values::nonzero)) CHECK((std::abs(x) >= 0.4 && std::abs(x) <= 2));
  for (double x : values_of(Values::small)) CHECK(std::abs(x) <= 0.8);
  for (double x : values_of(Values::off_grid)) {
    CHECK(std::abs(2 * x - std::round(2 * x)) >= 0.0999);
    CHECK(std::abs(x) <= 2.5);
  }
  for (double x : values_of(Values::on_grid)) CHECK(2 * x == std::round(2 * x));
}

TEST_CASE("gradcheck verb: inputs of both signs and every cell of the grid occur") {
  std::set<double> cells, grid;
  for (double x : values_of(Values::off_grid)) cells.insert(std::floor(2 * x));
  for (double x : values_of(Values::on_grid)) grid.insert(x);
  CHECK(cells.size() == 10);
  CHECK(grid.size() == 9);
  const std::vector<double> distinct = values_of(Values::distinct, 60);
  CHECK(std::set<double>(distinct.begin(), distinct.end()).size() == 60);
  CHECK(!std::is_sorted(distinct.begin(), distinct.end()));
}

TEST_CASE("gradcheck verb: a check counts its cases and derivatives and names its worst element") {
  const GradientVerdict verdict = check_op("linear", kKey);
  CHECK(verdict.passed);
  CHECK(verdict.cases == 3);
  CHECK(verdict.elements == (12 + 8 + 2) + (12 + 3) + (3 + 6 + 2));
  CHECK(!verdict.worst.empty());
  CHECK(std::abs(verdict.analytic - verdict.numeric) <= 1e-8 + 1e-6 * std::abs(verdict.numeric));
  CHECK(check_op("argmax", kKey).elements == 0);
  CHECK_THROWS_WITH_AS(check_op("liner", kKey), "unknown op liner; did you mean linear?", UsageError);
}

TEST_CASE("gradcheck verb: an objective is checked in every weight of its network") {
  const GradientVerdict verdict = check_objective("diffusion_dpo", {{"beta", "3"}}, kKey);
  CHECK(verdict.passed);
  CHECK(verdict.elements == 2 * (8 + 4 + 8 + 2));
  CHECK(verdict.numeric != 0);
}
