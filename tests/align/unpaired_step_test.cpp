#include <doctest/doctest.h>

#include <cmath>

#include "align/preference_trainer.h"
#include "autograd/grad_mode.h"
#include "diffusion/process/add_noise.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "nn/optim/sgd.h"
#include "tests/support/numeric.h"
#include "tests/support/point_pairs.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// Samples judged one by one, and two unlike networks. An odd number, and not as many wanted as unwanted.
struct Samples {
  static constexpr int64_t kCount = 7;
  const std::vector<double> labels = {1, -1, -1, 1, -1, 1, -1};
  PointPairs made{kCount, DType::f64};
  PreferencePairs batch = made.batch;
  PointDenoiser student = small_denoiser(1), reference = small_denoiser(2);
  std::unique_ptr<PolicyPair> policy = make_forward_process_pair();

  Samples() {
    batch.losers = {};
    batch.negative = {};
    batch.labels = from_vector(std::vector<float>(labels.begin(), labels.end()), {kCount});
    to_dtype(student, DType::f64);
    to_dtype(reference, DType::f64);
  }

  PreferenceModels models(const Objective& objective, Optimizer& optimizer) {
    return {.student = &student,
            .initial = &reference,
            .objective = &objective,
            .policy = policy.get(),
            .schedule = &made.schedule,
            .optimizer = &optimizer};
  }

  /// Mean squared errors a sample against the noise, under the conditions that `roll` rows before have.
  std::vector<double> errors(PointDenoiser& network, const Tensor& t, const Tensor& noise, int64_t roll) const {
    const NoGrad no_grad;
    Tensor index = empty({kCount}, DType::i64);
    for (int64_t i = 0; i < kCount; ++i) index.mutable_data<int64_t>()[i] = (i + kCount - roll) % kCount;
    const Tensor x = add_noise(made.schedule, batch.winners, noise, t);
    const std::vector<double> pred =
        network.predict(x, made.schedule.network_time(t), take(batch.condition, index)).value().to_vector<double>();
    const std::vector<double> target = noise.to_vector<double>();
    std::vector<double> found(size_t(kCount), 0.0);
    for (size_t i = 0; i < pred.size(); ++i) found[i / 2] += std::pow(pred[i] - target[i], 2) / 2;
    return found;
  }
};

}  // namespace

TEST_CASE("unpaired step: each sample has its own prompt, t, noise and label; loss as the formula has it") {
  constexpr double kBeta = 3;
  for (const char* offset : {"mean", "balanced", "mismatched"}) {
    CAPTURE(offset);
    Samples samples;
    const auto objective = make_objective("diffusion_kto", {{"beta", "3"}, {"offset", offset}});
    Sgd optimizer(parameters(samples.student), {.learning_rate = 1e-2});
    PreferenceTrainer trainer(samples.models(*objective, optimizer));
    const RandomKey key = RandomKey{3}.at_step(5);
    const PreferenceStepResult result = trainer.gradients(samples.batch, key);

    const Tensor t = randint(key.fork("t"), 0, 100, {Samples::kCount});
    const Tensor noise = randn(key.fork("noise"), {Samples::kCount, 2}, DType::f64);
    CHECK(bits_of(result.timesteps) == bits_of(t));
    const auto gains = [&](int64_t roll) {
      const std::vector<double> student = samples.errors(samples.student, t, noise, roll),
                                reference = samples.errors(samples.reference, t, noise, roll);
      std::vector<double> g;
      for (size_t i = 0; i < student.size(); ++i) g.push_back(reference[i] - student[i]);
      return g;
    };
    const std::vector<double> g = gains(0), rolled = gains(1);
    double mean = 0, wanted = 0, unwanted = 0, mismatched = 0;
    for (size_t i = 0; i < g.size(); ++i) {
      mean += g[i] / 7, mismatched += rolled[i] / 7;
      (samples.labels[i] > 0 ? wanted : unwanted) += samples.labels[i] > 0 ? g[i] / 3 : g[i] / 4;
    }
    const std::string name = offset;
    const double k = name == "mean" ? std::max(mean, 0.0) : name == "balanced" ? (wanted + unwanted) / 2 : mismatched;
    double loss = 0;
    for (size_t i = 0; i < g.size(); ++i) loss += 1 / (1 + std::exp(samples.labels[i] * kBeta * (g[i] - k))) / 7;
    CHECK(std::abs(result.output.loss.value().item() / loss - 1) < 1e-12);
    CHECK(result.output.labels.to_vector<double>() == samples.labels);
    CHECK(result.output.offset.item() == doctest::Approx(k).epsilon(1e-12));
    const std::vector<double> errors = samples.errors(samples.student, t, noise, 0);
    const StepStatistics statistics = step_statistics(result);
    CHECK(statistics.error_w == doctest::Approx((errors[0] + errors[3] + errors[5]) / 3).epsilon(1e-12));
  }
}

TEST_CASE("unpaired step: parts give the whole batch's gradient where its statistics extend over it") {
  for (const char* offset : {"mean", "balanced", "mismatched"}) {
    CAPTURE(offset);
    const auto objective = make_objective("diffusion_kto", {{"beta", "3"}, {"offset", offset}});
    const auto gradient = [&](int64_t micro_batch) {
      Samples samples;
      Sgd optimizer(parameters(samples.student), {.learning_rate = 1e-2});
      PreferenceTrainer trainer(samples.models(*objective, optimizer),
                                {.reward_scale = RewardScale::minmax,
                                 .micro_batch = micro_batch,
                                 .statistics = StatisticsScope::effective_batch});
      trainer.gradients(samples.batch, RandomKey{3});
      std::vector<double> all;
      for (const NamedParameter& entry : parameters(samples.student))
        for (const double value : entry.parameter->grad().to_vector<double>()) all.push_back(value);
      return all;
    };
    const std::vector<double> whole = gradient(0);
    for (const int64_t parts : {1, 3}) {
      const std::vector<double> found = gradient(parts);
      double worst = 0, largest = 0;
      for (size_t i = 0; i < whole.size(); ++i) {
        worst = std::max(worst, std::abs(found[i] - whole[i]));
        largest = std::max(largest, std::abs(whole[i]));
      }
      CHECK(largest > 0);
      CHECK(worst <= 1e-11 * largest);
    }
  }
}

TEST_CASE("unpaired step: one sample, labels alike, and an objective of pairs") {
  Samples samples;
  const auto kto = make_objective("diffusion_kto"), dpo = make_objective("diffusion_dpo");
  Sgd optimizer(parameters(samples.student), {.learning_rate = 1e-2});
  PreferenceTrainer trainer(samples.models(*kto, optimizer));
  const PreferencePairs one = samples.batch.take(from_vector<int64_t>({4}, {1}));
  CHECK(one.labels.item() == -1);
  CHECK(std::isfinite(step_statistics(trainer.gradients(one, RandomKey{1})).loss));
  PreferencePairs alike = samples.batch.to(kCpu);
  alike.labels = full({Samples::kCount}, 1.0, DType::f32);
  CHECK_FALSE(step_statistics(trainer.gradients(alike, RandomKey{1})).error_l.has_value());
  PreferenceTrainer pairs(samples.models(*dpo, optimizer));
  CHECK_THROWS_WITH_AS(pairs.gradients(samples.batch, RandomKey{1}),
                       "preference step: diffusion_dpo takes pairs, and the batch holds samples judged one by one",
                       ValueError);
}
