#include "align/preference_trainer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "autograd/backward.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "engine/parallel.h"
#include "nn/optim/adam.h"
#include "nn/optim/clip.h"
#include "nn/optim/sgd.h"
#include "tests/support/numeric.h"
#include "tests/support/point_pairs.h"

using namespace plumb;
using namespace plumb::test;

namespace {

std::string weight_bits(Module& module) {
  std::string bits;
  for (const NamedParameter& entry : parameters(module)) bits += bits_of(entry.parameter->value());
  return bits;
}

std::vector<double> gradient_of(Module& module) {
  std::vector<double> all;
  for (const NamedParameter& entry : parameters(module)) {
    const std::vector<double> part = entry.parameter->grad().to_vector<double>();
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

/// Another network's weights times `factor`.
void move_away(PointDenoiser& student, double factor) {
  PointDenoiser other = small_denoiser(5);
  for (const NamedParameter& entry : parameters(other)) entry.parameter->assign(entry.parameter->value() * factor);
  load_state_dict(student, state_dict(other));
}

/// A student, its initial model, and what trains it.
struct Setup {
  explicit Setup(std::string_view objective_name, const ObjectiveSettings& settings = {}, bool training_free = false,
                 DType dtype = DType::f32)
      : pairs(12, dtype),
        student(small_denoiser(1)),
        initial(small_denoiser(1)),
        objective(make_objective(objective_name, settings)),
        policy(training_free ? make_training_free_pair() : make_forward_process_pair()) {
    to_dtype(student, dtype);
    to_dtype(initial, dtype);
    optimizer = std::make_unique<AdamW>(parameters(student), AdamSettings{.learning_rate = 1e-2});
  }

  PreferenceModels models() {
    return {.student = &student,
            .initial = &initial,
            .objective = objective.get(),
            .policy = policy.get(),
            .schedule = &pairs.schedule,
            .optimizer = optimizer.get()};
  }

  /// Weights after `steps` steps, and every logit on the way.
  std::string train(const PreferenceTrainerOptions& options, int steps = 7) {
    PreferenceTrainer trainer(models(), options);
    std::string bits;
    for (int step = 0; step < steps; ++step) {
      const PreferenceStepResult result = trainer.step(pairs.batch, RandomKey{3}.at_step(uint64_t(step)));
      bits += bits_of(result.output.loss.value());
      if (result.output.logit.defined()) bits += bits_of(result.output.logit);
    }
    return bits + weight_bits(student);
  }

  PointPairs pairs;
  PointDenoiser student, initial;
  std::unique_ptr<Objective> objective;
  std::unique_ptr<PolicyPair> policy;
  std::unique_ptr<Optimizer> optimizer;
};

}  // namespace

TEST_CASE("preference trainer: by default a step is draw, forward, backward, optimiser, bit for bit") {
  Setup by_hand("ddspo", {{"beta", "20"}}, true), trained("ddspo", {{"beta", "20"}}, true);
  PreferenceTrainer trainer(trained.models());
  const PreferenceStep forward{.student = &by_hand.student,
                               .reference = &by_hand.initial,
                               .initial = &by_hand.initial,
                               .objective = by_hand.objective.get(),
                               .policy = by_hand.policy.get(),
                               .schedule = &by_hand.pairs.schedule};
  for (uint64_t step = 0; step < 5; ++step) {
    const RandomKey key = RandomKey{3}.at_step(step);
    const Tensor t = randint(key.fork("t"), 0, 100, {12});
    by_hand.optimizer->zero_grad();
    const ObjectiveOutput output = forward(by_hand.pairs.batch, t, randn(key.fork("noise"), {12, 2}));
    backward(output.loss);
    const double norm = grad_norm(by_hand.optimizer->arena()).item();
    by_hand.optimizer->step();

    const PreferenceStepResult result = trainer.step(trained.pairs.batch, key);
    const StepStatistics statistics = step_statistics(result), expected = step_statistics(output);
    CHECK(bits_of(result.timesteps) == bits_of(cat({t, t}, 0)));
    CHECK(bits_of(result.output.logit) == bits_of(output.logit));
    CHECK(statistics.loss == expected.loss);
    CHECK(statistics.error_l == expected.error_l);
    CHECK(statistics.grad_norm == norm);
    CHECK(statistics.learning_rate == 1e-2);
    CHECK(weight_bits(trained.student) == weight_bits(by_hand.student));
  }
}

TEST_CASE("preference trainer: a reference that never moves is the frozen one, bit for bit") {
  for (const char* name : {"diffusion_dpo", "dspo", "diffusion_kto"}) {
    CAPTURE(name);
    const std::string frozen = Setup(name).train({});
    CHECK(Setup(name).train({.reference_update = ReferenceUpdateOptions{.tau = 0}}) == frozen);
    CHECK(Setup(name).train({.reference_update = ReferenceUpdateOptions{.tau = 1000000}}) == frozen);
    // Updates whose every candidate is refused.
    CHECK(Setup(name).train({.reference_update = ReferenceUpdateOptions{.tau = 2,
                                                                        .delta = -1e300,
                                                                        .test = ReferenceTest::candidate,
                                                                        .policy = ReferencePolicy::reinit}}) == frozen);
    CHECK(Setup(name).train({.reference_update = ReferenceUpdateOptions{.tau = 2, .delta = 1e300}}) != frozen);
  }
}

TEST_CASE("preference trainer: with a moved reference the logit starts again from zero, and TF-CPP keeps its policy") {
  Setup setup("ddspo", {{"beta", "20"}}, true);
  PreferenceTrainer trainer(setup.models(), {.reference_update = ReferenceUpdateOptions{.tau = 3, .delta = 1e300}});
  for (uint64_t step = 0; step < 7; ++step) {
    const PreferenceStepResult result = trainer.step(setup.pairs.batch, RandomKey{3}.at_step(step));
    const std::vector<double> z = result.output.logit.to_vector<double>();
    for (const double value : z) CHECK((value == 0) == (step % 3 == 0));
    // Against the initial model's targets a reference that moved has an error on winners of its own.
    const StepStatistics statistics = step_statistics(result);
    CHECK((statistics.ref_error_w.value() == 0) == (step < 3));
  }
  CHECK(trainer.reference_update()->moved());
  CHECK(&trainer.reference() != &setup.initial);
}

TEST_CASE("preference trainer: DDSPO of the forward process is Diffusion-DPO under every wrapper, to the last bit") {
  const ReferenceUpdateOptions update{.tau = 2, .delta = 1e300};
  std::vector<PreferenceTrainerOptions> wrappers(6);
  wrappers[0].timesteps = {.kind = TimestepSampling::aware, .bins = 7};
  wrappers[1].reward_scale = RewardScale::minmax;
  wrappers[2].reference_update = update;
  wrappers[3].independent_noise = true;
  wrappers[4].micro_batch = 5;
  wrappers[5] = {.timesteps = {.kind = TimestepSampling::sigmoid},
                 .reward_scale = RewardScale::mean,
                 .independent_noise = true,
                 .reference_update = update,
                 .max_grad_norm = 1,
                 .micro_batch = 4};
  const std::string plain = Setup("diffusion_dpo", {{"beta", "20"}}).train({});
  for (const PreferenceTrainerOptions& options : wrappers) {
    const std::string dpo = Setup("diffusion_dpo", {{"beta", "20"}}).train(options);
    CHECK(Setup("ddspo", {{"beta", "20"}}).train(options) == dpo);
    CHECK(dpo != plain);  // each wrapper does something
  }
}

TEST_CASE("preference trainer: reward scale reaches the logit by the pair's timestep, KTO's by the sample's own") {
  for (const char* name : {"diffusion_dpo", "diffusion_kto"}) {
    CAPTURE(name);
    Setup plain(name), scaled(name);
    move_away(plain.student, 1);
    move_away(scaled.student, 1);
    PreferenceTrainer without(plain.models()), with(scaled.models(), {.reward_scale = RewardScale::minmax});
    const PreferenceStepResult a = without.step(plain.pairs.batch, RandomKey{3}),
                               b = with.step(scaled.pairs.batch, RandomKey{3});
    const std::vector<double> lambda =
        reward_scale(plain.pairs.schedule.alphas_cumprod(), RewardScale::minmax).to_vector<double>();
    const std::vector<double> za = a.output.logit.to_vector<double>(), zb = b.output.logit.to_vector<double>();
    const std::vector<int64_t> t = a.timesteps.to_vector<int64_t>();
    for (size_t i = 0; i < za.size(); ++i)
      CHECK(std::abs(zb[i] - lambda[size_t(t[i])] * za[i]) <= 1e-6 * std::abs(zb[i]));
  }
}

TEST_CASE("preference trainer: accumulated gradients are the whole batch's, for every objective") {
  for (const ObjectiveEntry& entry : objective_table())
    for (const char* offset : {"mean", "balanced", "mismatched"}) {
      const bool kto = entry.name == std::string_view("diffusion_kto");
      if (!kto && offset != std::string_view("mean")) continue;
      CAPTURE(entry.name);
      CAPTURE(offset);
      const ObjectiveSettings settings =
          kto ? ObjectiveSettings{{"beta", "3"}, {"offset", offset}} : ObjectiveSettings{};
      const auto gradient = [&](int64_t micro, StatisticsScope scope, PreferenceStepResult* result) {
        Setup setup(entry.name, settings, false, DType::f64);
        setup.optimizer = std::make_unique<Sgd>(parameters(setup.student), SgdSettings{.learning_rate = 0.3});
        move_away(setup.student, 1);  // at the reference itself some gradients are zero
        PreferenceTrainer trainer(setup.models(), {.micro_batch = micro, .statistics = scope});
        *result = trainer.step(setup.pairs.batch, RandomKey{3});
        return gradient_of(setup.student);
      };
      PreferenceStepResult whole_result, result;
      const std::vector<double> whole = gradient(0, StatisticsScope::effective_batch, &whole_result);
      double largest = 0;
      for (const double g : whole) largest = std::max(largest, std::abs(g));
      REQUIRE(largest > 0);
      for (const int64_t micro : {1, 5, 12}) {
        CAPTURE(micro);
        const std::vector<double> parts = gradient(micro, StatisticsScope::effective_batch, &result);
        double worst = 0;
        for (size_t i = 0; i < whole.size(); ++i) worst = std::max(worst, std::abs(parts[i] - whole[i]));
        CHECK(worst <= 1e-11 * largest);
        const StepStatistics a = step_statistics(whole_result), b = step_statistics(result);
        CHECK(std::abs(a.loss - b.loss) <= 1e-12 * std::max(1.0, std::abs(a.loss)));
        CHECK(std::abs(a.error_w - b.error_w) <= 1e-12 * a.error_w);
        CHECK(a.implicit_accuracy.has_value() == b.implicit_accuracy.has_value());
        CHECK(bits_of(result.timesteps) == bits_of(whole_result.timesteps));
      }
      if (!kto) continue;
      // The released codes' k of each micro-batch is another one.
      const std::vector<double> own = gradient(5, StatisticsScope::microbatch, &result);
      double worst = 0;
      for (size_t i = 0; i < whole.size(); ++i) worst = std::max(worst, std::abs(own[i] - whole[i]));
      CHECK(worst > 1e-6 * largest);
    }
}

TEST_CASE("preference trainer: DSPO-XL's switch is the effective batch's when asked") {
  // Students far from the reference on some pairs: the mean over all lies on one side, that of parts on both.
  for (const StatisticsScope scope : {StatisticsScope::microbatch, StatisticsScope::effective_batch}) {
    const auto gradient = [&](int64_t micro) {
      Setup setup("dspo_xl", {{"beta", "3"}}, false, DType::f64);
      move_away(setup.student, 2);
      setup.pairs.batch.winners = setup.pairs.batch.winners * reshape(arange(0, 12).to(DType::f64), {12, 1}) * 0.5;
      PreferenceTrainer trainer(setup.models(), {.micro_batch = micro, .statistics = scope});
      trainer.step(setup.pairs.batch, RandomKey{3});
      return gradient_of(setup.student);
    };
    const std::vector<double> whole = gradient(0), parts = gradient(1);
    double worst = 0, largest = 0;
    for (size_t i = 0; i < whole.size(); ++i) {
      worst = std::max(worst, std::abs(parts[i] - whole[i]));
      largest = std::max(largest, std::abs(whole[i]));
    }
    if (scope == StatisticsScope::effective_batch)
      CHECK(worst <= 1e-11 * largest);
    else
      CHECK(worst > 1e-3 * largest);
  }
}

TEST_CASE("preference trainer: KTO sees two samples a pair, each with a timestep and noise of its own") {
  Setup setup("diffusion_kto", {{"beta", "100"}});
  PreferenceTrainer trainer(setup.models());
  const PreferenceStepResult result = trainer.step(setup.pairs.batch, RandomKey{3});
  CHECK(bits_of(result.output.labels) == bits_of(cat({full({12}, 1.0), full({12}, -1.0)}, 0)));
  const std::vector<int64_t> t = result.timesteps.to_vector<int64_t>();
  REQUIRE(t.size() == 24);
  CHECK(!std::equal(t.begin(), t.begin() + 12, t.begin() + 12));
  const StepStatistics statistics = step_statistics(result);
  CHECK(statistics.offset == 0);
  CHECK(statistics.error_l.has_value());
  CHECK(statistics.loss == doctest::Approx(0.5));
}

TEST_CASE("preference trainer: KTO's share of wanted samples") {
  for (const double share : {0.0, 0.2, 0.8, 1.0}) {
    CAPTURE(share);
    double wanted = 0, count = 0;
    for (uint64_t step = 0; step < 40; ++step) {
      Setup setup("diffusion_kto");
      PreferenceTrainer trainer(setup.models(), {.wanted_share = share});
      const PreferenceStepResult result = trainer.step(setup.pairs.batch, RandomKey{3}.at_step(step));
      for (const double label : result.output.labels.to_vector<double>()) wanted += label > 0, ++count;
    }
    CHECK(std::abs(wanted / count - share) <= 4 * std::sqrt(share * (1 - share) / count));
  }
}

TEST_CASE("preference trainer: KTO trains with every offset") {
  for (const char* offset : {"mean", "balanced", "mismatched"}) {
    CAPTURE(offset);
    Setup setup("diffusion_kto", {{"beta", "100"}, {"offset", offset}});
    PreferenceTrainer trainer(setup.models());
    double first = 0, last = 0;
    for (uint64_t step = 0; step < 60; ++step) {
      const double loss = step_statistics(trainer.step(setup.pairs.batch, RandomKey{3})).loss;  // the same draws
      if (step == 0) first = loss;
      last = loss;
    }
    CHECK(first == doctest::Approx(0.5));
    CHECK(last < 0.3);
  }
}

TEST_CASE("preference trainer: the transform makes the pairs, by micro-batch or as a whole") {
  const PairTransform reversed = [](const PreferencePairs& pairs, const RandomKey&) {
    PreferencePairs made = pairs;
    made.losers = pairs.winners * -1.0;
    return made;
  };
  Setup given("self_dpo"), made("self_dpo");
  given.pairs.batch.losers = given.pairs.batch.winners * -1.0;
  CHECK(given.train({}) == made.train({.transform = reversed}));

  std::vector<std::pair<int64_t, uint64_t>> calls;
  const PairTransform recording = [&](const PreferencePairs& pairs, const RandomKey& key) {
    calls.emplace_back(pairs.size(), key.sample0);
    return pairs;
  };
  Setup("self_dpo").train({.micro_batch = 5, .transform = recording}, 1);
  CHECK(calls == std::vector<std::pair<int64_t, uint64_t>>{{5, 0}, {5, 5}, {2, 10}});
  calls.clear();
  Setup("self_dpo")
      .train({.micro_batch = 5, .statistics = StatisticsScope::effective_batch, .transform = recording}, 1);
  CHECK(calls == std::vector<std::pair<int64_t, uint64_t>>{{12, 0}});
}

TEST_CASE("preference trainer: huge logits stay finite, and a gradient that is not finite changes nothing") {
  for (const ObjectiveEntry& entry : objective_table()) {
    CAPTURE(entry.name);
    const bool has_beta = entry.name != std::string_view("sft") && entry.name != std::string_view("mapo");
    Setup setup(entry.name, has_beta ? ObjectiveSettings{{"beta", "1e10"}} : ObjectiveSettings{});
    move_away(setup.student, 1);
    PreferenceTrainer trainer(setup.models(), {.reward_scale = RewardScale::minmax});
    const StepStatistics statistics = step_statistics(trainer.step(setup.pairs.batch, RandomKey{3}));
    CHECK(std::isfinite(statistics.loss));
    CHECK(std::isfinite(statistics.grad_norm.value()));
    if (has_beta && statistics.logit_abs_median) CHECK(*statistics.logit_abs_median > 1e6);

    const std::string before = weight_bits(setup.student);
    PreferencePairs broken = setup.pairs.batch;
    broken.winners = full(broken.winners.shape(), std::numeric_limits<double>::quiet_NaN());
    CHECK_FALSE(std::isfinite(step_statistics(trainer.step(broken, RandomKey{3})).loss));
    CHECK(weight_bits(setup.student) == before);
  }
}

TEST_CASE("preference trainer: the student's divergence is measured every so many steps") {
  Setup setup("diffusion_dpo");
  PreferenceTrainer trainer(setup.models(), {.divergence_every = 2});
  for (uint64_t step = 0; step < 4; ++step) {
    const RandomKey key = RandomKey{3}.at_step(step);
    const StepStatistics statistics = step_statistics(trainer.step(setup.pairs.batch, key));
    REQUIRE(statistics.divergence.has_value() == (step % 2 == 1));
    if (step % 2 == 1)
      CHECK(*statistics.divergence ==
            divergence(setup.student, setup.initial, setup.pairs.schedule, setup.pairs.batch, key.fork("divergence")));
  }
}

TEST_CASE("preference trainer: divergences are of the network's own kind of prediction") {
  Setup setup("diffusion_dpo");
  PreferenceTrainer trainer(
      setup.models(),
      {.prediction = Prediction::v_prediction,
       .reference_update = ReferenceUpdateOptions{.tau = 1, .delta = 1e300, .test = ReferenceTest::candidate},
       .divergence_every = 1});
  const StepStatistics statistics = step_statistics(trainer.step(setup.pairs.batch, RandomKey{3}));
  const auto expected = [&](const char* stream) {
    return divergence(setup.student, setup.initial, setup.pairs.schedule, setup.pairs.batch, RandomKey{3}.fork(stream),
                      {.prediction = Prediction::v_prediction});
  };
  CHECK(statistics.reference_divergence == expected("reference update"));
  CHECK(statistics.divergence == expected("divergence"));
}

TEST_CASE("preference trainer: a resumed run goes on bit for bit") {
  const PreferenceTrainerOptions options{.reference_update = ReferenceUpdateOptions{.tau = 3, .delta = 1e300},
                                         .divergence_every = 4};
  Setup straight("diffusion_dpo"), broken("diffusion_dpo"), resumed("diffusion_dpo");
  PreferenceTrainer all(straight.models(), options), first(broken.models(), options);
  const auto copy = [](const StateDict& state) {
    StateDict kept;
    for (const NamedTensor& named : state) kept.push_back({named.name, named.tensor.clone()});
    return kept;
  };
  for (uint64_t step = 0; step < 8; ++step) all.step(straight.pairs.batch, RandomKey{3}.at_step(step));
  for (uint64_t step = 0; step < 5; ++step) first.step(broken.pairs.batch, RandomKey{3}.at_step(step));
  PreferenceTrainer second(resumed.models(), options);
  load_state_dict(resumed.student, copy(state_dict(broken.student)));
  resumed.optimizer->load_state_dict(copy(broken.optimizer->state_dict()));
  second.load_state_dict(copy(first.state_dict()));
  for (uint64_t step = 5; step < 8; ++step)
    CHECK(second.step(resumed.pairs.batch, RandomKey{3}.at_step(step)).divergence.has_value() == (step == 7));
  CHECK(weight_bits(resumed.student) == weight_bits(straight.student));
}

TEST_CASE("preference trainer: the same bits for any number of threads") {
  const auto train = [](const char* name) {
    const PointPairs pairs(384);
    Generator generator(3);
    PointDenoiser student({.hidden = 64}, generator);
    const auto initial = clone(student);
    const auto objective = make_objective(name);
    const auto policy = make_training_free_pair();
    AdamW optimizer(parameters(student), {.learning_rate = 1e-3});
    PreferenceTrainer trainer({.student = &student,
                               .initial = initial.get(),
                               .objective = objective.get(),
                               .policy = policy.get(),
                               .schedule = &pairs.schedule,
                               .optimizer = &optimizer},
                              {.timesteps = {.kind = TimestepSampling::aware},
                               .reward_scale = RewardScale::minmax,
                               .reference_update = ReferenceUpdateOptions{.tau = 2, .delta = 1e300},
                               .max_grad_norm = 1,
                               .micro_batch = 150,
                               .statistics = StatisticsScope::effective_batch});
    std::string bits;
    for (uint64_t step = 0; step < 4; ++step)
      bits += bits_of(trainer.step(pairs.batch, RandomKey{3}.at_step(step)).output.logit);
    return bits + weight_bits(student);
  };
  const int before = num_threads();
  for (const char* name : {"ddspo", "diffusion_kto"}) {
    CAPTURE(name);
    set_num_threads(1);
    const std::string one = train(name);
    for (const int threads : {2, 3, 8}) {
      set_num_threads(threads);
      CHECK(train(name) == one);
    }
  }
  set_num_threads(before);
}

TEST_CASE("preference trainer: what is missing or out of range is named") {
  Setup setup("diffusion_dpo");
  PreferenceModels models = setup.models();
  models.policy = nullptr;
  CHECK_THROWS_WITH_AS(PreferenceTrainer{models}, "preference trainer: objective diffusion_dpo needs a policy pair",
                       ValueError);
  CHECK_THROWS_AS(PreferenceTrainer(setup.models(), {.micro_batch = -1}), ValueError);
  CHECK_THROWS_AS(PreferenceTrainer(setup.models(), {.wanted_share = 1.5}), ValueError);
  PreferenceTrainer trainer(setup.models());
  CHECK_THROWS_AS(trainer.step(setup.pairs.batch.take(zeros({0}, DType::i64)), RandomKey{1}), ValueError);
}
