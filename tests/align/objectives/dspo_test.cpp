#include "align/objectives/dspo.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/align/objectives/objective_case.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// Student near the reference, reference near the target: as in training.
ObjectiveCase near_case(int64_t pairs) {
  ObjectiveCase c = make_case(pairs);
  c.ref = c.target + c.ref * 0.5;
  c.pred = c.ref + c.pred * 0.05;
  return c;
}

}  // namespace

TEST_CASE("dspo: lambda 0 is sft for both reductions, to the last bit") {
  for (DType dtype : {DType::f64, DType::f32}) {
    const ObjectiveCase c = make_case(5, dtype);
    for (const char* reduction : {"mean", "sum"})
      for (const char* name : {"dspo", "dspo_e"}) {
        CAPTURE(name);
        const Outcome sft = run("sft", c, {{"reduction", reduction}});
        const Outcome dspo = run(name, c, {{"lambda", "0"}, {"reduction", reduction}});
        CHECK(dspo.loss == sft.loss);
        CHECK(dspo.grad == sft.grad);
      }
  }
}

TEST_CASE("dspo: at beta 0.001 the gradient is sft's within 0.1%") {
  const ObjectiveCase c = near_case(6);
  const std::vector<double> sft = run("sft", c).grad, dspo = run("dspo", c).grad;
  const double distance = relative_difference(dspo, sft);
  CHECK(distance < 1e-3);
  CHECK(distance > 1e-6);  // but not the same
  CHECK(relative_difference(run("dspo", c, {{"lambda", "0.5"}}).grad, sft) > 0.05);
}

TEST_CASE("dspo: the one beta is both lambda and temperature") {
  const ObjectiveCase c = near_case(3);
  const Outcome one = run("dspo", c, {{"beta", "0.5"}});
  const Outcome apart = run("dspo", c, {{"lambda", "0.5"}, {"temperature", "0.5"}});
  const Outcome gamma = run("dspo", c, {{"beta", "0.5"}, {"lambda", "0.25"}, {"gamma", "2"}});
  for (const Outcome* other : {&apart, &gamma}) {
    CHECK(one.loss == other->loss);
    CHECK(one.grad == other->grad);
    CHECK(one.logit == other->logit);
  }
}

TEST_CASE("dspo: a detached weight changes the gradient and not the value; losers get none") {
  const ObjectiveCase c = near_case(3);
  const Outcome flowing = run("dspo", c, {{"beta", "2"}}),
                detached = run("dspo", c, {{"beta", "2"}, {"detach_weight", "true"}});
  CHECK(flowing.loss == detached.loss);
  CHECK(flowing.grad != detached.grad);
  for (size_t i = detached.grad.size() / 2; i < detached.grad.size(); ++i) {
    CHECK(detached.grad[i] == 0);
    CHECK(flowing.grad[i] != 0);
  }
}

TEST_CASE("dspo: time weights are beta_t / ((1 - abar_{t-1}) alpha_t), with the last step clamped at beta_0") {
  ObjectiveCase c = near_case(3);
  c.timesteps = from_vector<int64_t>({0, 1, 700, 0, 1, 700}, {6});
  const NoiseSchedule schedule(NoiseScheduleOptions{});
  const Outcome plain = run("dspo", c, {{"beta", "2"}}),
                timed = run("dspo", c, {{"beta", "2"}, {"time_weights", "paper"}});
  const int64_t steps[] = {0, 1, 700};
  for (size_t i = 0; i < 3; ++i) {
    const int64_t t = steps[i];
    const double beta = schedule.beta(t), before = t == 0 ? schedule.beta(0) : 1 - schedule.alpha_cumprod(t - 1);
    // abar is kept in f32: beta_t comes back from a ratio of two numbers near 1.
    CHECK(timed.logit[i] == doctest::Approx(plain.logit[i] * beta / (before * (1 - beta))).epsilon(2e-3));
  }
  c.timesteps = from_vector<int64_t>({0, 1, 1000, 0, 1, 1000}, {6});
  CHECK_THROWS_WITH_AS(run("dspo", c, {{"time_weights", "paper"}}), "dspo: timestep outside [0, 1000) (1000)",
                       ValueError);
  c.timesteps = {};
  CHECK_THROWS_AS(run("dspo_ref", c, {{"time_weights", "paper"}}), ValueError);
}

TEST_CASE("dspo_e: reads winners only") {
  const ObjectiveCase c = make_case(3);
  const Outcome both = run("dspo_e", c, {{"lambda", "0.5"}});
  const Variable pred = Variable::leaf(slice(c.pred, 0, 0, 3));
  const ObjectiveOutput alone = (*make_objective("dspo_e", {{"lambda", "0.5"}}))(
      {.pred = pred, .ref = slice(c.ref, 0, 0, 3), .target = slice(c.target, 0, 0, 3), .winners_only = true});
  CHECK(alone.loss.value().item() == both.loss);
}

TEST_CASE("dspo_ref: the factored loss is the loss of the definition") {
  const ObjectiveCase c = near_case(3);
  const Outcome out = run("dspo_ref", c, {{"lambda", "0.8"}, {"temperature", "2"}});
  // pred_w - w (pred_w - ref_w), element by element, against ref_w.
  const Tensor z = from_vector<double>(out.logit, {3, 1, 1, 1}), weight = sigmoid(neg(z)) * 0.8;
  const Tensor pred = slice(c.pred, 0, 0, 3), ref = slice(c.ref, 0, 0, 3);
  const double expected = mean(square(pred - weight * (pred - ref) - ref)).item();
  CHECK(out.loss == doctest::Approx(expected).epsilon(1e-12));
}

TEST_CASE("dspo_xl: the loss changes once the student is far from the reference") {
  ObjectiveCase c = make_case(3);
  for (double distance : {0.31, 0.32}) {  // squared: 0.0961 and 0.1024
    c.pred = c.ref + distance;
    const Outcome out = run("dspo_xl", c, {{"beta", "3"}});
    double expected = 0;
    for (double z : out.logit) expected += 1 / ((1 + std::exp(z)) * (1 + std::exp(z))) / 3;
    CHECK(out.loss == doctest::Approx(distance < 0.316 ? expected : expected * distance * distance).epsilon(1e-12));
  }
}

TEST_CASE("dspo_xl: in float32 the gradient keeps its digits when every pair is ordered wrongly") {
  ObjectiveCase narrow = make_case(4, DType::f32);
  narrow.pred = cat({slice(narrow.ref, 0, 0, 4) * 1.001, slice(narrow.ref, 0, 4, 8)}, 0);
  narrow.target = neg(narrow.ref);
  const ObjectiveCase wide = {narrow.pred.to(DType::f64), narrow.ref.to(DType::f64), narrow.target.to(DType::f64), {}};
  const Outcome f32 = run("dspo_xl", narrow, {{"beta", "14000"}}), f64 = run("dspo_xl", wide, {{"beta", "14000"}});
  for (double z : f64.logit) CHECK(z < -14);  // sigmoid(-z) rounds to 1 but for a few units
  CHECK(relative_difference(f32.grad, f64.grad) < 1e-4);
}
