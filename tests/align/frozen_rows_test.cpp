#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "align/preference_trainer.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "nn/optim/sgd.h"
#include "tests/support/numeric.h"
#include "tests/support/point_pairs.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// A student away from its initial model, under one objective.
struct Setup {
  explicit Setup(std::string_view name, const ObjectiveSettings& settings = {}, bool training_free = false,
                 DType dtype = DType::f64, uint64_t student_seed = 5)
      : pairs(12, dtype),
        student(small_denoiser(student_seed)),
        initial(small_denoiser(1)),
        objective(make_objective(name, settings)),
        policy(training_free ? make_training_free_pair() : make_forward_process_pair()) {
    to_dtype(student, dtype);
    to_dtype(initial, dtype);
    optimizer = std::make_unique<Sgd>(parameters(student), SgdSettings{.learning_rate = 0.1});
  }

  PreferenceTrainer trainer(const PreferenceTrainerOptions& options = {}) {
    return PreferenceTrainer({.student = &student,
                              .initial = &initial,
                              .objective = objective.get(),
                              .policy = policy.get(),
                              .schedule = &pairs.schedule,
                              .optimizer = optimizer.get()},
                             options);
  }

  /// Whoever runs the initial model from here on gets what is no number.
  void spoil_initial() {
    for (const NamedParameter& entry : parameters(initial))
      entry.parameter->assign(full(entry.parameter->value().shape(), std::numeric_limits<double>::quiet_NaN(),
                                   entry.parameter->value().dtype()));
  }

  std::vector<double> gradient() {
    std::vector<double> all;
    for (const NamedParameter& entry : parameters(student)) {
      const std::vector<double> part = entry.parameter->grad().to_vector<double>();
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }

  PointPairs pairs;
  PointDenoiser student, initial;
  std::unique_ptr<Objective> objective;
  std::unique_ptr<PolicyPair> policy;
  std::unique_ptr<Optimizer> optimizer;
};

double largest_of(const std::vector<double>& values) {
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

}  // namespace

TEST_CASE("frozen rows: a step with them is the step that runs the reference, which is then not run") {
  struct Method {
    const char* name;
    bool training_free;
  };
  for (const Method method : {Method{"diffusion_dpo", false}, {"ddspo", false}, {"ddspo", true}, {"self_dpo", false}})
    for (const char* reduction : {"mean", "sum"})
      for (const int64_t micro : {0, 5}) {
        CAPTURE(method.name);
        CAPTURE(method.training_free);
        CAPTURE(reduction);
        CAPTURE(micro);
        const ObjectiveSettings settings{{"beta", "3"}, {"reduction", reduction}};
        const PreferenceTrainerOptions options{
            .reward_scale = RewardScale::mean, .independent_noise = micro > 0, .micro_batch = micro};
        const RandomKey key{.seed = 3, .step = 4};
        Setup plain(method.name, settings, method.training_free), kept(method.name, settings, method.training_free);
        PreferenceTrainer plain_trainer = plain.trainer(options), kept_trainer = kept.trainer(options);
        const StepStatistics expected = step_statistics(plain_trainer.gradients(plain.pairs.batch, key));

        const Reduction reduced = reduction == std::string_view("sum") ? Reduction::sum : Reduction::mean;
        const FrozenRows rows = kept_trainer.frozen_rows(kept.pairs.batch, key, reduced);
        CHECK(rows.errors.shape() == Shape{12, 2});
        CHECK(rows.targets.defined() == method.training_free);
        kept.spoil_initial();
        const StepStatistics found = step_statistics(kept_trainer.gradients(kept.pairs.batch, key, rows));

        // Not bits: an error less an error, where the other sums differences of squares.
        const std::vector<double> a = plain.gradient(), b = kept.gradient();
        double worst = 0;
        for (size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
        REQUIRE(largest_of(a) > 0);
        CHECK(worst <= 1e-12 * largest_of(a));
        CHECK(std::abs(found.loss - expected.loss) <= 1e-13 * std::abs(expected.loss));
        CHECK(found.error_w == expected.error_w);
        CHECK(*found.ref_error_w == *expected.ref_error_w);
        CHECK(*found.ref_error_l == *expected.ref_error_l);
        CHECK(std::abs(*found.margin - *expected.margin) <= 1e-13 * (found.error_w + *found.error_l));
        if (method.training_free) CHECK(*found.ref_error_w == 0);
      }
}

TEST_CASE("frozen rows: in f32 the logit is good to the errors' last digits") {
  // At the reference itself, where every digit of z is lost.
  Setup setup("diffusion_dpo", {{"beta", "1"}}, false, DType::f32, 1);
  PreferenceTrainer trainer = setup.trainer();
  const FrozenRows rows = trainer.frozen_rows(setup.pairs.batch, RandomKey{3}, Reduction::mean);
  const PreferenceStepResult result = trainer.gradients(setup.pairs.batch, RandomKey{3}, rows);
  const double error = largest_of(result.output.error.to(DType::f64).to_vector<double>());
  CHECK(largest_of(result.output.logit.to(DType::f64).to_vector<double>()) <= 4e-7 * error);
}

TEST_CASE("frozen rows: what is known in the step alone is refused") {
  const RandomKey key{3};
  const auto refused = [&](std::string_view objective, const PreferenceTrainerOptions& options) {
    Setup setup(objective);
    PreferenceTrainer trainer = setup.trainer(options);
    CHECK_THROWS_AS(trainer.frozen_rows(setup.pairs.batch, key, Reduction::mean), ValueError);
    const FrozenRows rows{.errors = ones({12, 2}, DType::f64)};
    CHECK_THROWS_AS(trainer.gradients(setup.pairs.batch, key, rows), ValueError);
  };
  for (const char* objective : {"sft", "mapo", "dspo", "dspo_xl", "dspo_ref", "dspo_e", "diffusion_kto"})
    refused(objective, {});
  refused("diffusion_dpo", {.reference_update = ReferenceUpdateOptions{.tau = 2}});
  refused("diffusion_dpo", {.transform = [](const PreferencePairs& batch, const RandomKey&) { return batch; }});
  Setup setup("diffusion_dpo");
  PreferenceTrainer trainer = setup.trainer();
  CHECK_THROWS_AS(trainer.gradients(setup.pairs.batch, key, {.errors = ones({12, 3}, DType::f64)}), ShapeError);
  CHECK_THROWS_AS(trainer.gradients(setup.pairs.batch, key, {.errors = ones({12, 2})}), DTypeError);
}
