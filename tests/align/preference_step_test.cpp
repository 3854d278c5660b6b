#include "align/preference_step.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "autograd/backward.h"
#include "autograd/grad_mode.h"
#include "diffusion/denoising_loss.h"
#include "diffusion/process/add_noise.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "engine/parallel.h"
#include "nn/optim/adam.h"
#include "nn/optim/clip.h"
#include "nn/visitors.h"
#include "tests/support/numeric.h"
#include "tests/support/point_pairs.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// A small beta where the objective has one: at its default the logits of unrelated networks saturate. (Not 2: DSPO's
/// lambda (1 - sigmoid(0)) would be 1, and its loss against the reference's own scores 0.)
std::unique_ptr<Objective> gentle(std::string_view name) {
  try {
    return make_objective(name, {{"beta", "3"}});
  } catch (const ValueError&) {
    return make_objective(name);
  }
}

std::string weight_bits(Module& module) {
  std::string bits;
  for (const NamedParameter& entry : parameters(module)) bits += bits_of(entry.parameter->value());
  return bits;
}

}  // namespace

TEST_CASE("noise_pairs: winner and loser of a pair share time, noise and condition") {
  const PointPairs pairs(10, DType::f64);
  const NoisedPairs noised =
      noise_pairs(pairs.schedule, Prediction::epsilon, pairs.batch, {.t = pairs.t, .noise = pairs.noise});
  CHECK(noised.pairs() == 10);
  CHECK(bits_of(noised.t) == bits_of(cat({pairs.t, pairs.t}, 0)));
  CHECK(bits_of(noised.target) == bits_of(cat({pairs.noise, pairs.noise}, 0)));
  CHECK(bits_of(noised.x) == bits_of(cat({add_noise(pairs.schedule, pairs.batch.winners, pairs.noise, pairs.t),
                                          add_noise(pairs.schedule, pairs.batch.losers, pairs.noise, pairs.t)},
                                         0)));
  CHECK(bits_of(noised.condition.labels) ==
        bits_of(cat({pairs.batch.condition.labels, pairs.batch.condition.labels}, 0)));
  CHECK(bits_of(noised.negative.labels) == bits_of(pairs.batch.negative.labels));
}

TEST_CASE("noise_pairs: independent noise is the losers' alone") {
  const PointPairs pairs(10, DType::f64);
  const PairDraw both{.t = pairs.t, .noise = pairs.noise},
      apart{.t = pairs.t, .noise = pairs.noise, .loser_noise = pairs.loser_noise},
      short_noise{.t = pairs.t, .noise = slice(pairs.noise, 0, 0, 9)};
  const NoisedPairs shared = noise_pairs(pairs.schedule, Prediction::epsilon, pairs.batch, both);
  const NoisedPairs noised = noise_pairs(pairs.schedule, Prediction::epsilon, pairs.batch, apart);
  CHECK(bits_of(slice(noised.x, 0, 0, 10)) == bits_of(slice(shared.x, 0, 0, 10)));
  CHECK(bits_of(slice(noised.x, 0, 10, 20)) ==
        bits_of(add_noise(pairs.schedule, pairs.batch.losers, pairs.loser_noise, pairs.t)));
  CHECK(bits_of(noised.target) == bits_of(cat({pairs.noise, pairs.loser_noise}, 0)));
  CHECK_THROWS_AS(noise_pairs(pairs.schedule, Prediction::epsilon, pairs.batch, short_noise), ShapeError);
}

TEST_CASE("preference step: independent noise reaches student and target") {
  const PointPairs pairs(10);
  PointDenoiser student = small_denoiser(1), reference = small_denoiser(2);
  RecordingDenoiser seen(student);
  const auto policy = make_forward_process_pair();
  const auto objective = gentle("diffusion_dpo");
  const PreferenceStep step{.student = &seen,
                            .reference = &reference,
                            .initial = &reference,
                            .objective = objective.get(),
                            .policy = policy.get(),
                            .schedule = &pairs.schedule};
  const ObjectiveOutput shared = step(pairs.batch, pairs.t, pairs.noise);
  const ObjectiveOutput independent = step(pairs.batch, pairs.t, pairs.noise, pairs.loser_noise);
  REQUIRE(seen.calls.size() == 2);
  CHECK(bits_of(slice(seen.calls[1].x, 0, 10, 20)) ==
        bits_of(add_noise(pairs.schedule, pairs.batch.losers, pairs.loser_noise, pairs.t)));
  CHECK(bits_of(slice(shared.error, 0, 0, 10)) == bits_of(slice(independent.error, 0, 0, 10)));
  CHECK(bits_of(slice(shared.error, 0, 10, 20)) != bits_of(slice(independent.error, 0, 10, 20)));
}

TEST_CASE("preference step: supervised fine-tuning evaluates winners only, and no reference") {
  const PointPairs pairs(10);
  PointDenoiser student = small_denoiser(1);
  RecordingDenoiser seen(student);
  const auto objective = make_objective("sft");
  const PreferenceStep step{.student = &seen, .objective = objective.get(), .schedule = &pairs.schedule};
  const ObjectiveOutput out = step(pairs.batch, pairs.t, pairs.noise);
  REQUIRE(seen.calls.size() == 1);
  CHECK(bits_of(seen.calls[0].x) == bits_of(add_noise(pairs.schedule, pairs.batch.winners, pairs.noise, pairs.t)));
  CHECK(bits_of(seen.calls[0].condition.labels) == bits_of(pairs.batch.condition.labels));
  const Variable plain = denoising_loss(student, pairs.schedule, Prediction::epsilon,
                                        {pairs.batch.winners, pairs.noise, pairs.t, pairs.batch.condition});
  CHECK(out.loss.value().item() == doctest::Approx(plain.value().item()).epsilon(1e-6));
}

TEST_CASE("preference step: while reference and initial model are one network theirs is one forward") {
  const PointPairs pairs(9);
  PointDenoiser student = small_denoiser(1), reference = small_denoiser(2), twin = small_denoiser(2);
  RecordingDenoiser seen(reference), seen_initial(twin);
  const auto objective = gentle("ddspo");
  const auto policy = make_training_free_pair();
  PreferenceStep step{.student = &student,
                      .reference = &seen,
                      .initial = &seen,
                      .objective = objective.get(),
                      .policy = policy.get(),
                      .schedule = &pairs.schedule};
  const ObjectiveOutput shared = step(pairs.batch, pairs.t, pairs.noise);
  backward(shared.loss);
  const std::vector<double> gradient = parameters(student)[0].parameter->grad().to_vector<double>();
  REQUIRE(seen.calls.size() == 1);  // both halves with c, then the losers with c-
  CHECK(seen.calls[0].x.size(0) == 27);
  CHECK(bits_of(slice(seen.calls[0].x, 0, 18, 27)) == bits_of(slice(seen.calls[0].x, 0, 9, 18)));
  CHECK(bits_of(slice(seen.calls[0].condition.labels, 0, 18, 27)) == bits_of(pairs.batch.negative.labels));

  zero_grad(student);
  step.initial = &seen_initial;
  const ObjectiveOutput separate = step(pairs.batch, pairs.t, pairs.noise);
  backward(separate.loss);
  CHECK(seen.calls.size() == 2);
  REQUIRE(seen_initial.calls.size() == 1);  // winners with c, losers with c-
  CHECK(seen_initial.calls[0].x.size(0) == 18);
  CHECK(bits_of(seen_initial.calls[0].condition.labels) ==
        bits_of(cat({pairs.batch.condition.labels, pairs.batch.negative.labels}, 0)));
  // A row of a matrix product may round differently in a batch of another size.
  CHECK(std::abs(shared.loss.value().item() - separate.loss.value().item()) <= 1e-6);
  const std::vector<double> other = parameters(student)[0].parameter->grad().to_vector<double>();
  for (size_t i = 0; i < gradient.size(); ++i) CHECK(std::abs(gradient[i] - other[i]) <= 1e-6);
}

TEST_CASE("preference step: pairs that take no policy target have the forward process'") {
  const PointPairs pairs(6);
  PointDenoiser student = small_denoiser(1), reference = small_denoiser(2);
  const auto ddspo = gentle("ddspo"), dpo = gentle("diffusion_dpo");
  const auto training_free = make_training_free_pair(), forward_process = make_forward_process_pair();
  PreferenceStep step{.student = &student,
                      .reference = &reference,
                      .initial = &reference,
                      .objective = ddspo.get(),
                      .policy = training_free.get(),
                      .schedule = &pairs.schedule};
  const PairDraw all{.t = pairs.t, .noise = pairs.noise};
  PairDraw some = all;
  some.takes_policy = eq(pairs.batch.condition.labels, 2.0);
  const Tensor policy = step.evaluate(pairs.batch, all).target, mixed = step.evaluate(pairs.batch, some).target;
  step.policy = forward_process.get();
  const Tensor forward = step.evaluate(pairs.batch, all).target;
  for (int64_t row = 0; row < 12; ++row)
    CHECK(bits_of(slice(mixed, 0, row, row + 1)) == bits_of(slice(row % 6 == 2 ? policy : forward, 0, row, row + 1)));
}

TEST_CASE("preference step: every objective's gradient through a network agrees with differences") {
  const PointPairs pairs(6, DType::f64);
  PointDenoiser reference = small_denoiser(2);
  to_dtype(reference, DType::f64);
  // KTO's offset has no gradient; against the reference's own scores the student is the worse one, and the offset is 0.
  for (const ObjectiveEntry& entry : objective_table()) {
    CAPTURE(entry.name);
    PointDenoiser student = small_denoiser(1);
    to_dtype(student, DType::f64);
    const auto objective = gentle(entry.name);
    const auto policy = make_training_free_pair();
    const PreferenceStep step{.student = &student,
                              .reference = &reference,
                              .initial = &reference,
                              .objective = objective.get(),
                              .policy = policy.get(),
                              .schedule = &pairs.schedule};
    auto loss = [&] { return step(pairs.batch, pairs.t, pairs.noise).loss; };
    backward(loss());
    const NoGrad no_grad;
    double largest = 0;
    for (const NamedParameter& named : parameters(student)) {
      CAPTURE(named.name);
      const std::vector<double> gradient = named.parameter->grad().to_vector<double>();
      Tensor value = named.parameter->value();
      REQUIRE(value.is_contiguous());
      // Every 7th element: all tensors, rows and columns take part.
      for (int64_t i = 0; i < value.numel(); i += 7) {
        double& element = value.mutable_data<double>()[i];
        const double middle = element, h = 1e-5;
        element = middle + h;
        const double above = loss().value().item();
        element = middle - h;
        const double below = loss().value().item();
        element = middle;
        const double numeric = (above - below) / (2 * h);
        // Third derivatives times h^2, and rounding of losses near 1 over h.
        CHECK(std::abs(gradient[size_t(i)] - numeric) <= 1e-8 + 1e-6 * std::abs(numeric));
        largest = std::max(largest, std::abs(numeric));
      }
    }
    CHECK(largest > 1e-3);  // there was something to compare
  }
}

TEST_CASE("training: pretraining and preference tuning have the same bits for any number of threads") {
  auto train = [] {
    const PointPairs pairs(384);
    Generator generator(3);
    PointDenoiser student({.hidden = 64}, generator);
    AdamW optimizer(trainable(parameters(student)), {.learning_rate = 1e-3, .weight_decay = 1e-2});
    auto take_step = [&](const Variable& loss) {
      optimizer.zero_grad();
      backward(loss);
      clip_grad_norm(optimizer.arena(), 1.0);
      optimizer.step();
    };
    for (int step = 0; step < 6; ++step)
      take_step(denoising_loss(student, pairs.schedule, Prediction::epsilon,
                               {pairs.batch.winners, pairs.noise, pairs.t, pairs.batch.condition}));
    const auto reference = clone(student);
    const auto policy = make_training_free_pair();
    const auto objective = make_objective("ddspo");
    const PreferenceStep preference{.student = &student,
                                    .reference = reference.get(),
                                    .initial = reference.get(),
                                    .objective = objective.get(),
                                    .policy = policy.get(),
                                    .schedule = &pairs.schedule};
    for (int step = 0; step < 6; ++step) take_step(preference(pairs.batch, pairs.t, pairs.noise).loss);
    return weight_bits(student);
  };
  const int before = num_threads();
  std::string first;
  for (int threads : {1, 2, 3, 8}) {
    CAPTURE(threads);
    set_num_threads(threads);
    const std::string bits = train();
    if (first.empty()) first = bits;
    CHECK(bits == first);
  }
  set_num_threads(before);
}
