#include "align/objectives/mapo.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/align/objectives/objective_case.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// A pair of one element each with the given errors; the target is 0.
ObjectiveCase with_errors(double winner, double loser) {
  return {from_vector<double>({std::sqrt(winner), std::sqrt(loser)}, {2, 1}), {}, zeros({2, 1}, DType::f64), {}};
}

/// In long double, where the quotient's cancellation does not show.
double phi(double error) {
  const long double u = error / 2.0L;
  return u == 0 ? 1.0 : double(u / std::expm1(u));
}

}  // namespace

TEST_CASE("mapo: the logit is T (phi(ew) - phi(el)), across the seam of series and quotient") {
  for (double error : {0.0, 1e-12, 1e-3, 0.4999999, 0.5, 0.5000001, 0.6, 3.0, 40.0, 1000.0}) {
    CAPTURE(error);
    const Outcome out = run("mapo", with_errors(error, 4.0));
    CHECK(std::abs(out.logit[0] - 1000 * (phi(error) - phi(4.0))) <= 1e-12 * 1000);
    CHECK(out.loss == doctest::Approx(error + 0.1 * std::log1p(std::exp(-out.logit[0]))));
  }
}

TEST_CASE("mapo: the gradient agrees with phi's derivative near zero, at the seam and far out") {
  for (double error : {1e-10, 1e-4, 0.49, 0.51, 2.0, 60.0}) {
    CAPTURE(error);
    const Outcome out = run("mapo", with_errors(1.0, error), {{"b", "1000"}});
    const long double u = error / 2.0L, e = std::expm1(u);
    const long double slope = u < 1e-3L ? -0.5L + u / 6 - u * u * u / 180 : (e - u * (e + 1)) / (e * e);
    // dL/dpred_l = b sigmoid(-z) T phi'(u) / 2 * 2 pred
    const double expected = 1000 / (1 + std::exp(out.logit[0])) * 1000 * double(slope) * std::sqrt(error);
    CHECK(std::abs(out.grad[1] - expected) <= 1e-11 * std::abs(expected));
  }
}

TEST_CASE("mapo: no NaN at errors beyond where expm1 overflows, in f32 and f64") {
  for (DType dtype : {DType::f64, DType::f32})
    for (double error : {0.0, 180.0, 1e4, 1e12}) {
      ObjectiveCase c = with_errors(error, 1.0);
      c.pred = c.pred.to(dtype);
      c.target = c.target.to(dtype);
      for (const ObjectiveCase& both : {c, ObjectiveCase{flip(c.pred, {0}), {}, c.target, {}}}) {
        const Outcome out = run("mapo", both);
        CHECK(std::isfinite(out.loss));
        for (double g : out.grad) CHECK(std::isfinite(g));
      }
    }
}

TEST_CASE("mapo: needs no reference, and has no beta") {
  const auto objective = make_objective("mapo");
  CHECK(!objective->uses_reference());
  CHECK(objective->uses_losers());
  CHECK_THROWS_AS(make_objective("mapo", {{"beta", "1"}}), ValueError);
}
