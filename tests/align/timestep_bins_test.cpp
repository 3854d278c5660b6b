#include "align/timestep_bins.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/error.h"
#include "engine/ops.h"
#include "nn/optim/adam.h"
#include "tests/align/objectives/objective_case.h"
#include "tests/support/numeric.h"
#include "tests/support/point_pairs.h"

using namespace plumb;
using namespace plumb::test;

namespace {

Tensor times(const std::vector<int64_t>& t) { return from_vector<int64_t>(t, {int64_t(t.size())}); }

}  // namespace

TEST_CASE("timestep bins: reward scale and accuracy by hand") {
  // Three pairs: t = 3 (right, by 0.5 against 0.25), t = 3 (wrong), t = 99 (right).
  const ObjectiveOutput output{.logit = from_vector<double>({2, -1, 7}, {3}),
                               .error = from_vector<double>({1, 2, 3, 4, 5, 6}, {6}),
                               .gain = from_vector<double>({-0.5, 0.5, -1, -0.25, 0.25, 3}, {6})};
  TimestepBins counted(100);
  counted.add(output, times({3, 3, 99, 3, 3, 99}));
  const std::vector<TimestepBin> bins = counted.bins();
  REQUIRE(bins.size() == 10);
  CHECK(bins[0].begin == 0);
  CHECK(bins[0].end == 10);
  CHECK(bins[0].samples == 4);
  CHECK(*bins[0].error == 3);  // (1 + 2 + 4 + 5) / 4
  CHECK(*bins[0].reward_scale == 0.375);
  CHECK(*bins[0].accuracy == 0.5);
  CHECK_FALSE(bins[5].accuracy.has_value());
  CHECK(bins[5].samples == 0);
  CHECK(*bins[9].reward_scale == 2);
  CHECK(*bins[9].accuracy == 1);
  counted.add(output, times({3, 3, 99, 3, 3, 99}));
  CHECK(*counted.bins()[0].accuracy == 0.5);
  CHECK(counted.bins()[0].samples == 8);
  counted.reset();
  CHECK(counted.bins()[0].samples == 0);
}

TEST_CASE("timestep bins: samples judged one by one count where they are; without a reference the logit decides") {
  TimestepBins unpaired(20);
  unpaired.add({.logit = from_vector<double>({1, 1, -1, -1}, {4}),
                .error = from_vector<double>({1, 1, 1, 1}, {4}),
                .gain = from_vector<double>({-1, 1, -2, 2}, {4}),
                .labels = from_vector<double>({1, 1, -1, -1}, {4})},
               times({0, 0, 19, 19}));
  CHECK(*unpaired.bins()[0].accuracy == 0.5);
  CHECK(*unpaired.bins()[9].accuracy == 0.5);
  CHECK(*unpaired.bins()[9].reward_scale == 2);

  TimestepBins odds(20);
  odds.add({.logit = from_vector<double>({1, -1}, {2}), .error = from_vector<double>({1, 1, 1, 1}, {4})},
           times({0, 0, 0, 0}));
  CHECK(*odds.bins()[0].accuracy == 0.5);
  CHECK_FALSE(odds.bins()[0].reward_scale.has_value());
}

TEST_CASE("timestep bins: intervals cover [0, T) also when their number does not divide it") {
  for (int64_t timesteps : {10, 13, 100, 999}) {
    TimestepBins counted(timesteps, 7);
    for (int64_t t = 0; t < timesteps; ++t) counted.add({.error = from_vector<double>({double(t)}, {1})}, times({t}));
    int64_t next = 0;
    for (const TimestepBin& bin : counted.bins()) {
      CHECK(bin.begin == next);
      CHECK(bin.samples == bin.end - bin.begin);
      CHECK(*bin.error == doctest::Approx(double(bin.begin + bin.end - 1) / 2));
      next = bin.end;
    }
    CHECK(next == timesteps);
  }
  CHECK_THROWS_WITH_AS(TimestepBins(5, 6), "timestep bins: there must be between 1 and 5 (6)", ValueError);
  TimestepBins counted(5, 5);
  CHECK_THROWS_AS(counted.add({.error = from_vector<double>({1}, {1})}, times({5})), ValueError);
  CHECK_THROWS_AS(counted.add({.error = from_vector<double>({1}, {1})}, times({1, 2})), ShapeError);
}

TEST_CASE("timestep bins: the gain of every objective is the difference of its errors") {
  const ObjectiveCase c = make_case(4);
  for (const ObjectiveEntry& entry : objective_table()) {
    CAPTURE(entry.name);
    const ObjectiveOutput output =
        (*make_objective(entry.name))({.pred = Variable(c.pred), .ref = c.ref, .target = c.target});
    if (!output.gain.defined()) continue;
    const std::vector<double> gain = output.gain.to_vector<double>(), error = output.error.to_vector<double>(),
                              ref = output.ref_error.to_vector<double>();
    for (size_t i = 0; i < gain.size(); ++i) CHECK(std::abs(gain[i] - (error[i] - ref[i])) <= 1e-12);
  }
}

TEST_CASE("timestep bins: a training step's shares agree with its statistics") {
  const PointPairs pairs(40);
  PointDenoiser student = small_denoiser(1), initial = small_denoiser(2);
  const auto objective = make_objective("diffusion_dpo");
  const auto policy = make_forward_process_pair();
  AdamW optimizer(parameters(student));
  PreferenceTrainer trainer({.student = &student,
                             .initial = &initial,
                             .objective = objective.get(),
                             .policy = policy.get(),
                             .schedule = &pairs.schedule,
                             .optimizer = &optimizer},
                            {.micro_batch = 7});
  const PreferenceStepResult result = trainer.step(pairs.batch, RandomKey{1});
  TimestepBins counted(100);
  counted.add(result);
  double right = 0, samples = 0;
  for (const TimestepBin& bin : counted.bins())
    if (bin.samples > 0) right += *bin.accuracy * double(bin.samples) / 2, samples += double(bin.samples);
  CHECK(samples == 80);
  CHECK(right / 40 == doctest::Approx(*step_statistics(result).implicit_accuracy));
}
