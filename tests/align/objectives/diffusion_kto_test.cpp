#include "align/objectives/diffusion_kto.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/align/objectives/objective_case.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// Per-sample errors are numbers one can do by hand: the target is 0, a sample's error is its value squared.
ObjectiveCase by_hand(const std::vector<double>& pred, const std::vector<double>& ref,
                      const std::vector<double>& labels) {
  const int64_t n = int64_t(pred.size());
  return {from_vector<double>(pred, {n, 1}),
          from_vector<double>(ref, {n, 1}),
          zeros({n, 1}, DType::f64),
          {},
          from_vector<double>(labels, {n})};
}

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

TEST_CASE("diffusion_kto: logit and loss by hand, an odd number of samples") {
  const ObjectiveCase c = by_hand({1, 2, 0}, {2, 1, 2}, {1, -1, 1});  // g = 3, -3, 4; offset 4/3
  const Outcome out = run("diffusion_kto", c, {{"beta", "0.5"}, {"w_plus", "2"}, {"w_minus", "3"}});
  const double z[] = {0.5 * (3 - 4.0 / 3), -0.5 * (-3 - 4.0 / 3), 0.5 * (4 - 4.0 / 3)};
  for (size_t i = 0; i < 3; ++i) CHECK(out.logit[i] == doctest::Approx(z[i]));
  CHECK(out.loss == doctest::Approx((2 * logistic(-z[0]) + 3 * logistic(-z[1]) + 2 * logistic(-z[2])) / 3));
}

TEST_CASE("diffusion_kto: offsets") {
  const ObjectiveCase worse = by_hand({2, 2}, {1, 1}, {1, -1});        // g = -3, -3
  CHECK(run("diffusion_kto", worse, {{"beta", "1"}}).logit[0] == -3);  // the mean is clamped at 0
  CHECK(run("diffusion_kto", worse, {{"beta", "1"}, {"offset", "balanced"}}).logit[0] == 0);  // balanced is not
  const ObjectiveCase uneven = by_hand({1, 1, 0}, {2, 2, 1}, {1, 1, -1});  // g = 3, 3, 1: balanced (3 + 1) / 2
  CHECK(run("diffusion_kto", uneven, {{"beta", "1"}, {"offset", "balanced"}}).logit[0] == 1);
  const ObjectiveCase wanted = by_hand({1, 0}, {2, 1}, {1, 1});  // g = 3, 1; nothing unwanted
  CHECK(run("diffusion_kto", wanted, {{"beta", "1"}, {"offset", "balanced"}}).logit[0] == 1);
  CHECK_THROWS_AS(run("diffusion_kto", wanted, {{"offset", "mismatched"}}), ValueError);
}

TEST_CASE("diffusion_kto: no gradient flows through the offset") {
  const ObjectiveCase c = by_hand({1, 0}, {2, 2}, {1, -1});  // g = 3, 4; k = 3.5
  const Outcome out = run("diffusion_kto", c, {{"beta", "1"}});
  // dL/dpred_0 = 1/2 h'(z) 2 pred_0 with z = -1/2; a differentiated offset would halve it.
  CHECK(out.grad[0] == doctest::Approx(logistic(0.5) * logistic(-0.5)));
  CHECK(out.grad[1] == 0);
}

TEST_CASE("diffusion_kto: labels of any numeric type; without any a batch of pairs is winners, then losers") {
  ObjectiveCase c = make_case(3);
  const Outcome pairs = run("diffusion_kto", c, {{"beta", "1"}});
  for (DType dtype : {DType::f64, DType::f32, DType::i64}) {
    c.labels = from_vector<double>({1, 1, 1, -1, -1, -1}, {6}).to(dtype);
    const Outcome labelled = run("diffusion_kto", c, {{"beta", "1"}});
    CHECK(labelled.loss == pairs.loss);
    CHECK(labelled.grad == pairs.grad);
  }
  c.labels = from_vector<double>({1, 1, 0, -1, -1, -1}, {6});
  CHECK_THROWS_AS(run("diffusion_kto", c), ValueError);
  c.labels = from_vector<double>({1, -1}, {2});
  CHECK_THROWS_AS(run("diffusion_kto", c), ShapeError);
}

TEST_CASE("diffusion_kto: finite at logits of a million, for every utility") {
  const ObjectiveCase c = by_hand({0, 1000, 0, 1000}, {1000, 0, 1000, 0}, {1, 1, -1, -1});
  for (const char* utility : {"sigmoid", "loss_averse", "risk_seeking"}) {
    CAPTURE(utility);
    const Outcome out = run("diffusion_kto", c, {{"beta", "1"}, {"utility", utility}});
    CHECK(std::isfinite(out.loss));
    for (double g : out.grad) CHECK(std::isfinite(g));
  }
}
