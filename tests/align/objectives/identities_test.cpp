// The identities of the objectives' specification: relations that hold whatever the network.

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "engine/error.h"
#include "tests/align/objectives/objective_case.h"

using namespace plumb;
using namespace plumb::test;

using Case = ObjectiveCase;

TEST_CASE("objectives: ddspo with the forward process is diffusion_dpo, to the last bit") {
  const Case c = make_case(5);
  for (const char* beta : {"0", "0.7", "2000"}) {
    const Outcome dpo = run("diffusion_dpo", c, {{"beta", beta}}), ddspo = run("ddspo", c, {{"beta", beta}});
    CHECK(dpo.loss == ddspo.loss);
    CHECK(dpo.grad == ddspo.grad);
    CHECK(dpo.logit == ddspo.logit);
  }
}

TEST_CASE("objectives: student = reference gives logit 0 and each loss's value there") {
  for (DType dtype : {DType::f64, DType::f32}) {
    Case c = make_case(4, dtype);
    c.ref = c.pred;
    const double sft = run("sft", c).loss, sft_sum = run("sft", c, {{"reduction", "sum"}}).loss,
                 ln2 = std::numbers::ln2;
    auto value = [&](const char* name, double loss, const ObjectiveSettings& settings = {}) {
      CAPTURE(name);
      const Outcome out = run(name, c, settings);
      CHECK(std::abs(out.loss - loss) <= (dtype == DType::f64 ? 1e-15 : 1e-7) * std::max(1.0, loss));
      for (double z : out.logit) CHECK(z == 0);
      for (double g : out.grad) CHECK(std::isfinite(g));
      return out;
    };
    value("diffusion_dpo", ln2);
    value("ddspo", ln2);
    value("self_dpo", 0.5 * sft + 0.5 * ln2);
    value("diffusion_kto", 0.5);
    value("dspo", sft);
    value("dspo", sft_sum, {{"reduction", "sum"}, {"lambda", "0.7"}});
    value("dspo_e", sft, {{"lambda", "0.7"}});
    value("dspo_xl", 0.25);
    const Outcome degenerate = value("dspo_ref", 0, {{"lambda", "0.7"}});
    CHECK(degenerate.loss == 0);
    for (double g : degenerate.grad) CHECK(g == 0);
  }
}

TEST_CASE("objectives: swapping winner and loser negates the logit") {
  const Case c = make_case(4);
  for (const char* name : {"diffusion_dpo", "ddspo", "self_dpo", "dspo", "dspo_ref", "dspo_xl", "mapo"}) {
    CAPTURE(name);
    const ObjectiveSettings settings =
        name == std::string_view("mapo") ? ObjectiveSettings{} : ObjectiveSettings{{"beta", "3"}};
    const Outcome forward = run(name, c, settings), back = run(name, swapped(c), settings);
    REQUIRE(forward.logit.size() == 4);
    for (size_t i = 0; i < forward.logit.size(); ++i) {
      CHECK(forward.logit[i] != 0);
      CHECK(forward.logit[i] == -back.logit[i]);
    }
  }
}

TEST_CASE("objectives: self_dpo with lambda1 = 0, lambda2 = 1 is diffusion_dpo, to the last bit") {
  for (DType dtype : {DType::f64, DType::f32}) {
    const Case c = make_case(5, dtype);
    for (const char* reduction : {"mean", "sum"}) {
      const Outcome dpo = run("diffusion_dpo", c, {{"beta", "0.7"}, {"reduction", reduction}});
      const Outcome self =
          run("self_dpo", c, {{"beta", "0.7"}, {"lambda1", "0"}, {"lambda2", "1"}, {"reduction", reduction}});
      CHECK(self.loss == dpo.loss);
      CHECK(self.grad == dpo.grad);
      CHECK(self.logit == dpo.logit);
    }
  }
}

TEST_CASE("objectives: sum over elements is mean times their number") {
  const Case c = make_case(3);
  const Outcome mean = run("diffusion_dpo", c, {{"beta", "12"}});
  const Outcome sum = run("diffusion_dpo", c, {{"beta", "1"}, {"reduction", "sum"}});  // 12 elements a sample
  for (size_t i = 0; i < mean.logit.size(); ++i) CHECK(std::abs(mean.logit[i] - sum.logit[i]) <= 1e-12);
  CHECK(std::abs(run("sft", c).loss * 12 - run("sft", c, {{"reduction", "sum"}}).loss) <= 1e-12);
}

TEST_CASE("objectives: sft reads winners only") {
  const Case c = make_case(3);
  const Outcome both = run("sft", c);
  const Variable pred = Variable::leaf(slice(c.pred, 0, 0, 3));
  const ObjectiveOutput alone =
      (*make_objective("sft"))({.pred = pred, .target = slice(c.target, 0, 0, 3), .winners_only = true});
  backward(alone.loss);
  CHECK(alone.loss.value().item() == both.loss);
  const std::vector<double> grad = pred.grad().to_vector<double>();
  for (size_t i = 0; i < both.grad.size(); ++i) CHECK(both.grad[i] == (i < grad.size() ? grad[i] : 0));
}

TEST_CASE("objectives: finite at logits of a million, with the loss's limit") {
  Case c = make_case(2);
  c.pred = c.target;
  const Tensor winners = slice(c.target, 0, 0, 2), losers = slice(c.target, 0, 2, 4);
  for (bool right : {true, false}) {
    // The student is exact; the reference is off by one on winners (z = beta / 2) or on losers (z = -beta / 2).
    c.ref = cat({winners + (right ? 1.0 : 0.0), losers + (right ? 0.0 : 1.0)}, 0);
    const Outcome out = run("diffusion_dpo", c, {{"beta", "2e6"}});
    CHECK(out.logit[0] == doctest::Approx(right ? 1e6 : -1e6));
    CHECK(out.loss == doctest::Approx(right ? 0.0 : 1e6));
    for (double g : out.grad) CHECK(std::isfinite(g));
  }
}

TEST_CASE("objectives: in float32 the logit keeps its digits beside the reference") {
  Case narrow = make_case(8, DType::f32);
  narrow.pred = narrow.ref + randn(RandomKey{5}, narrow.ref.shape(), DType::f32) * 1e-4;
  const Case wide = {narrow.pred.to(DType::f64), narrow.ref.to(DType::f64), narrow.target.to(DType::f64), {}};
  for (const char* name : {"diffusion_dpo", "ddspo", "self_dpo", "dspo_xl", "diffusion_kto"}) {
    const Outcome f32 = run(name, narrow, {{"beta", "5000"}}), f64 = run(name, wide, {{"beta", "5000"}});
    // The difference of two rounded errors of about 2 would be off by 5000 / 2 * 2^-23 = 3e-4, of logits around 0.1.
    for (size_t i = 0; i < f64.logit.size(); ++i)
      CHECK(std::abs(f32.logit[i] - f64.logit[i]) <= 1e-4 * std::abs(f64.logit[i]));
  }
}

TEST_CASE("objectives: linear loss weight multiplies each pair by t / (T - 1)") {
  Case c = make_case(1);
  const Outcome plain = run("ddspo", c, {{"beta", "2"}});
  const Outcome weighted = run("ddspo", c, {{"beta", "2"}, {"loss_weight", "linear"}});
  CHECK(weighted.loss == doctest::Approx(plain.loss * c.timesteps.to_vector<double>()[0] / 999));
}

TEST_CASE("objectives: computed in f32 for 16-bit predictions, gradient in their type") {
  const Case c = make_case(3);
  const Variable pred = Variable::leaf(c.pred.to(DType::bf16));
  const ObjectiveOutput out = (*make_objective("diffusion_dpo", {{"beta", "1"}}))(
      {.pred = pred, .ref = c.ref.to(DType::bf16), .target = c.target.to(DType::bf16)});
  CHECK(out.loss.dtype() == DType::f32);
  CHECK(out.logit.dtype() == DType::f32);
  backward(out.loss);
  CHECK(pred.grad().dtype() == DType::f32);
}

TEST_CASE("objectives: bad input is named") {
  const Case c = make_case(2);
  CHECK_THROWS_WITH_AS(
      make_objective("dpo"),
      "objective: unknown name (dpo); "
      "known: sft, diffusion_dpo, diffusion_kto, mapo, dspo, dspo_e, dspo_ref, dspo_xl, ddspo, self_dpo",
      ValueError);
  CHECK_THROWS_WITH_AS(make_objective("ddspo", {{"beta", "-1"}}), "ddspo: option beta must not be negative (-1)",
                       ValueError);
  CHECK_THROWS_WITH_AS(make_objective("sft", {{"beta", "1"}}), "sft: unknown option beta; known: reduction",
                       ValueError);
  CHECK_THROWS_AS(make_objective("ddspo", {{"beta", "nan"}}), ValueError);
  CHECK_THROWS_AS(run("diffusion_dpo", {slice(c.pred, 0, 0, 3), slice(c.ref, 0, 0, 3), slice(c.target, 0, 0, 3), {}}),
                  ShapeError);
  CHECK_THROWS_AS(run("diffusion_dpo", {c.pred, {}, c.target, {}}), ValueError);
  CHECK_THROWS_AS(run("diffusion_dpo", {c.pred, c.ref.to(DType::f32), c.target, {}}), DTypeError);
  CHECK_THROWS_AS(run("ddspo", {c.pred, c.ref, c.target, {}}, {{"loss_weight", "linear"}}), ValueError);
}
