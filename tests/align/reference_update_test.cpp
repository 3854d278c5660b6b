#include "align/reference_update.h"

#include <doctest/doctest.h>

#include <cmath>
#include <memory>

#include "align/preference_trainer.h"
#include "autograd/ops.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "nn/adapter.h"
#include "nn/optim/adam.h"
#include "tests/support/numeric.h"
#include "tests/support/point_pairs.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// predicts w x: its errors can be worked out by hand.
class ScaleDenoiser final : public Denoiser {
 public:
  explicit ScaleDenoiser(double w) : weight_(full({1}, w, DType::f64)) {}
  explicit ScaleDenoiser(const ScaleDenoiser&) = default;

  Variable predict(const Variable& x, const Tensor&, const Condition&) override { return x * weight_.variable(); }
  void visit(ModuleVisitor& visitor) override { visitor("weight", weight_); }
  std::unique_ptr<Module> clone_module() const override { return std::make_unique<ScaleDenoiser>(*this); }

  double weight() const { return weight_.value().item(); }
  void set(double w) { weight_.assign(full({1}, w, DType::f64)); }

 private:
  Parameter weight_;
};

/// D of w against w0 by scalar loops, in double, from the documented draws.
double divergence_by_hand(double w, double w0, const PointPairs& pairs, const RandomKey& key,
                          const DivergenceOptions& options) {
  const int64_t count = options.pairs;
  const bool ddpm = options.weights == DivergenceWeights::ddpm;
  const std::vector<int64_t> t = randint(key.fork("t"), 0, 100, {count}).to_vector<int64_t>();
  const std::vector<double> noise = randn(key.fork("noise"), {count, 2}, DType::f64).to_vector<double>();
  const std::vector<double> x0 = pairs.batch.winners.to_vector<double>();
  double total = 0;
  for (size_t i = 0; i < size_t(count); ++i) {
    const double abar = pairs.schedule.alpha_cumprod(t[i]), before = pairs.schedule.alpha_cumprod(t[i] - 1);
    const double alpha = abar / before, beta = 1 - alpha;
    double gain = 0;
    for (size_t d = 0; d < 2; ++d) {
      const double x = std::sqrt(abar) * x0[2 * i + d] + std::sqrt(1 - abar) * noise[2 * i + d];
      const double target = options.prediction == Prediction::epsilon
                                ? noise[2 * i + d]
                                : std::sqrt(abar) * noise[2 * i + d] - std::sqrt(1 - abar) * x0[2 * i + d];
      gain += ((w * x - target) * (w * x - target) - (w0 * x - target) * (w0 * x - target)) / 2;
    }
    // KL coefficient beta^2 / (2 s^2 alpha (1 - abar)) with the posterior variance s^2 = beta (1 - before) / (1 -
    // abar).
    const double clamped = std::max(1 - before, 1 - pairs.schedule.alpha_cumprod(0));
    const double posterior = beta * clamped / (1 - abar);
    double weight = ddpm ? beta * beta / (2 * posterior * alpha * (1 - abar)) : 1;
    if (ddpm && options.prediction == Prediction::v_prediction) weight *= abar;
    total += weight * gain;
  }
  return total / double(count);
}

}  // namespace

TEST_CASE("divergence: equals scalar loops in double, subset, parameterization and KL weights included") {
  const PointPairs pairs(40, DType::f64);
  const RandomKey key = RandomKey{4}.fork("d");
  ScaleDenoiser model(-0.7), initial(0.4);
  for (const Prediction prediction : {Prediction::epsilon, Prediction::v_prediction})
    for (const bool ddpm : {false, true})
      for (const int64_t count : {0, 1, 17, 100}) {
        DivergenceOptions options{.prediction = prediction,
                                  .weights = ddpm ? DivergenceWeights::ddpm : DivergenceWeights::constant,
                                  .pairs = count};
        const double got = divergence(model, initial, pairs.schedule, pairs.batch, key, options);
        options.pairs = count == 0 ? 40 : std::min<int64_t>(count, 40);
        const double expected = divergence_by_hand(model.weight(), initial.weight(), pairs, key, options);
        CHECK(std::abs(got - expected) <= 1e-10 * std::abs(expected));
      }
  CHECK(divergence(initial, initial, pairs.schedule, pairs.batch, key) == 0);
  // Signed: the better model is at a negative distance.
  CHECK(divergence(model, initial, pairs.schedule, pairs.batch, key) ==
        doctest::Approx(-divergence(initial, model, pairs.schedule, pairs.batch, key)));
  CHECK_THROWS_AS(divergence(model, initial, pairs.schedule, pairs.batch, key,
                             {.prediction = Prediction::flow, .weights = DivergenceWeights::ddpm}),
                  ValueError);
  CHECK_THROWS_WITH_AS(divergence_weights_from_name("kl"), "divergence weights: must be constant or ddpm (kl)",
                       ValueError);
}

TEST_CASE("reference update: the sequence of events of each test and policy") {
  const PointPairs pairs(16, DType::f64);
  const RandomKey key{8};
  const double initial_weight = 0.3;
  ScaleDenoiser initial(initial_weight);
  const auto distance = [&](double w) {
    ScaleDenoiser model(w);
    return divergence(model, initial, pairs.schedule, pairs.batch, key);
  };
  REQUIRE(0 < distance(-1));
  REQUIRE(distance(-1) < distance(-2));
  REQUIRE(distance(-2) < distance(-3));
  const double delta = (distance(-1) + distance(-2)) / 2;

  struct Expected {
    ReferenceTest test;
    ReferencePolicy policy;
    double references[4];  // after the updates at steps 2, 4, 6, 8
    bool frozen;
  };
  // The student is at -1, -2, -3, -1 then.
  for (const Expected& expected :
       {Expected{ReferenceTest::current, ReferencePolicy::freeze, {-1, -2, -2, -2}, true},
        Expected{ReferenceTest::candidate, ReferencePolicy::freeze, {-1, -1, -1, -1}, true},
        Expected{ReferenceTest::current, ReferencePolicy::reinit, {-1, -2, initial_weight, -1}, false},
        Expected{ReferenceTest::candidate, ReferencePolicy::reinit, {-1, initial_weight, initial_weight, -1}, false}}) {
    CAPTURE(int(expected.test));
    CAPTURE(int(expected.policy));
    ScaleDenoiser student(initial_weight);
    ReferenceUpdate update({.tau = 2, .delta = delta, .test = expected.test, .policy = expected.policy}, student,
                           initial, pairs.schedule);
    CHECK(&update.reference() == &initial);
    const double students[] = {-1, -2, -3, -1};
    for (size_t event = 0; event < 4; ++event) {
      student.set(99);  // never looked at between updates
      const double before = static_cast<ScaleDenoiser&>(update.reference()).weight();
      CHECK_FALSE(update.after_step(pairs.batch, key));
      CHECK(static_cast<ScaleDenoiser&>(update.reference()).weight() == before);
      student.set(students[event]);
      update.after_step(pairs.batch, key);
      CHECK(static_cast<ScaleDenoiser&>(update.reference()).weight() == expected.references[event]);
      CHECK(student.weight() == students[event]);
    }
    CHECK(update.frozen() == expected.frozen);
    CHECK(update.steps() == 8);
  }
}

TEST_CASE("reference update: tau = 0 is a reference that never moves; a divergence that is not a number freezes") {
  const PointPairs pairs(4, DType::f64);
  ScaleDenoiser student(1), initial(1);
  ReferenceUpdate never({.tau = 0}, student, initial, pairs.schedule);
  for (int step = 0; step < 100; ++step) CHECK_FALSE(never.after_step(pairs.batch, RandomKey{1}));
  CHECK(&never.reference() == &initial);
  CHECK_FALSE(never.divergence().has_value());

  ReferenceUpdate update({.tau = 1, .test = ReferenceTest::candidate}, student, initial, pairs.schedule);
  student.set(std::nan(""));
  update.after_step(pairs.batch, RandomKey{1});
  CHECK(update.frozen());
  CHECK(&update.reference() == &initial);
}

TEST_CASE("reference update: its state goes on where it was") {
  const PointPairs pairs(4, DType::f64);
  ScaleDenoiser student(1), initial(1);
  const ReferenceUpdateOptions options{.tau = 3, .delta = 1e9};
  ReferenceUpdate first(options, student, initial, pairs.schedule);
  for (int step = 1; step <= 4; ++step) {
    student.set(step);
    first.after_step(pairs.batch, RandomKey{1});
  }
  ReferenceUpdate second(options, student, initial, pairs.schedule);
  StateDict state;
  for (const NamedTensor& named : first.state_dict()) state.push_back({named.name, named.tensor.clone()});
  second.load_state_dict(state);
  CHECK(second.moved());
  CHECK(second.divergence() == first.divergence());
  CHECK(static_cast<ScaleDenoiser&>(second.reference()).weight() == 3);
  student.set(6);
  CHECK_FALSE(second.after_step(pairs.batch, RandomKey{1}));
  CHECK(second.after_step(pairs.batch, RandomKey{1}));
  CHECK(static_cast<ScaleDenoiser&>(second.reference()).weight() == 6);
  state.pop_back();
  CHECK_THROWS_AS(second.load_state_dict(state), ValueError);
}

TEST_CASE("reference update: weights may be copied between two places of one network") {
  const PointPairs pairs(4, DType::f64);
  ScaleDenoiser student(1), initial(1), place(5);
  ReferenceUpdate update({.tau = 1, .delta = 1e9}, student, initial, pairs.schedule,
                         {&place, parameters(student), parameters(place)});
  student.set(2);
  update.after_step(pairs.batch, RandomKey{1});
  CHECK(&update.reference() == &place);
  CHECK(place.weight() == 2);
  CHECK_THROWS_AS(ReferenceUpdate({.tau = 1}, student, initial, pairs.schedule, {&place, parameters(student), {}}),
                  ValueError);
  CHECK_THROWS_WITH_AS(ReferenceUpdate({.tau = -1}, student, initial, pairs.schedule),
                       "reference update: tau must not be negative (-1)", ValueError);
}

namespace {

/// A network with one of its adapters on.
class View final : public Denoiser {
 public:
  View(Denoiser& network, std::string adapter) : network_(network), adapter_(std::move(adapter)) {}
  explicit View(const View&) = default;
  Variable predict(const Variable& x, const Tensor& t, const Condition& condition) override {
    const AdapterScope scope(network_, adapter_);
    return network_.predict(x, t, condition);
  }
  void visit(ModuleVisitor& visitor) override { network_.visit(visitor); }
  std::unique_ptr<Module> clone_module() const override { return std::make_unique<View>(*this); }

 private:
  Denoiser& network_;
  std::string adapter_;
};

ParameterList weights_of_adapter(Denoiser& network, const std::string& name) {
  ParameterList list;
  for (const NamedParameter& entry : parameters(network, Include::adapters))
    if (entry.name.find("adapters." + name + ".") != std::string::npos) list.push_back(entry);
  return list;
}

std::string bits_of(const ParameterList& list) {
  std::string bits;
  for (const NamedParameter& entry : list) bits += test::bits_of(entry.parameter->value());
  return bits;
}

}  // namespace

TEST_CASE("reference update: with LoRA one network is student, reference and initial model") {
  const PointPairs pairs(16);
  PointDenoiser network = small_denoiser(1);
  Generator generator(2);
  for (const char* name : {"student", "reference"}) add_adapters(network, name, generator, {.rank = 2});
  const std::string base = bits_of(parameters(network, Include::base));
  View student(network, "student"), reference(network, "reference"), initial(network, "none");
  train_adapter_only(network, "student");
  const auto objective = make_objective("diffusion_dpo");
  const auto policy = make_forward_process_pair();
  AdamW optimizer(trainable(parameters(network)), {.learning_rate = 1e-2});
  PreferenceTrainer trainer(
      {.student = &student,
       .initial = &initial,
       .objective = objective.get(),
       .policy = policy.get(),
       .schedule = &pairs.schedule,
       .optimizer = &optimizer,
       .moving = {&reference, weights_of_adapter(network, "student"), weights_of_adapter(network, "reference")}},
      {.reference_update = ReferenceUpdateOptions{.tau = 4, .delta = 1e300}});
  for (uint64_t step = 0; step < 6; ++step) {
    const std::vector<double> z =
        trainer.step(pairs.batch, RandomKey{3}.at_step(step)).output.logit.to_vector<double>();
    for (const double value : z) CHECK((value == 0) == (step % 4 == 0));  // student = reference, bit for bit
    const bool same =
        bits_of(weights_of_adapter(network, "student")) == bits_of(weights_of_adapter(network, "reference"));
    CHECK(same == (step == 3));
  }
  CHECK(&trainer.reference() == &reference);
  CHECK(bits_of(parameters(network, Include::base)) == base);
}
