#include "align/eval/preference_accuracy.h"

#include <doctest/doctest.h>

#include <cmath>

#include "diffusion/process/add_noise.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "nn/visitors.h"
#include "tests/support/numeric.h"
#include "tests/support/point_pairs.h"

using namespace plumb;
using namespace plumb::test;

namespace {

JudgedPairs judged(const PointPairs& pairs) {
  return {.winners = pairs.batch.winners, .losers = pairs.batch.losers, .schedule = &pairs.schedule};
}

/// Squared error of a network's prediction at one noised point, written out.
double error_of(Denoiser& network, const Tensor& x0, const Tensor& noise, int64_t label, int64_t t, double bar) {
  const Tensor x = x0 * std::sqrt(bar) + noise * std::sqrt(1 - bar);
  const Variable out = network.predict(reshape(x, {1, 2}), from_vector<double>({double(t)}, {1}).to(DType::f32),
                                       {.labels = from_vector<int64_t>({label}, {1})});
  const std::vector<double> p = out.value().to_vector<double>(), n = noise.to_vector<double>();
  return ((p[0] - n[0]) * (p[0] - n[0]) + (p[1] - n[1]) * (p[1] - n[1])) / 2;
}

}  // namespace

TEST_CASE("preference margins: (error - reference's) of winner minus loser, point by point") {
  const PointPairs pairs(7, DType::f64);
  PointDenoiser model = small_denoiser(1), reference = small_denoiser(2);
  to_dtype(model, DType::f64), to_dtype(reference, DType::f64);
  const Condition& told = pairs.batch.condition;
  const PreferenceJudge judge{&model, told}, other{&reference, told};
  const RandomKey key{.seed = 3};
  for (const int64_t t : {0, 40, 99}) {
    const std::vector<double> got = preference_margins(judge, &other, judged(pairs), t, key),
                              alone = preference_margins(judge, nullptr, judged(pairs), t, key);
    const double bar = pairs.schedule.alphas_cumprod().to_vector<double>()[size_t(t)];
    REQUIRE(got.size() == 7);
    for (int64_t i = 0; i < 7; ++i) {
      const Tensor noise = randn(key.fork("noise").at_step(uint64_t(t)).at_sample(uint64_t(i)), {1, 2}, DType::f64);
      const auto error = [&](Denoiser& network, const Tensor& x0) {
        return error_of(network, select(x0, 0, i), select(noise, 0, 0), told.labels.to_vector<int64_t>()[size_t(i)], t,
                        bar);
      };
      const double mine = error(model, pairs.batch.winners) - error(model, pairs.batch.losers);
      const double theirs = error(reference, pairs.batch.winners) - error(reference, pairs.batch.losers);
      // t goes to the network in f32, the schedule's numbers are f32 too.
      CHECK(got[size_t(i)] == doctest::Approx(mine - theirs).epsilon(1e-6));
      CHECK(alone[size_t(i)] == doctest::Approx(mine).epsilon(1e-6));
    }
  }
}

TEST_CASE("preference margins: a pair's noise does not depend on its batch; the reference itself is at 0") {
  const PointPairs pairs(6);
  PointDenoiser model = small_denoiser(1), reference = small_denoiser(2);
  const PreferenceJudge judge{&model, pairs.batch.condition}, other{&reference, pairs.batch.condition};
  const std::vector<double> whole = preference_margins(judge, &other, judged(pairs), 30, {.seed = 1});
  const PreferencePairs part = pairs.batch.take(from_vector<int64_t>({4, 5}, {2}));
  const PreferenceJudge judge_part{&model, part.condition}, other_part{&reference, part.condition};
  const std::vector<double> last = preference_margins(
      judge_part, &other_part,
      {.winners = part.winners, .losers = part.losers, .first = 4, .schedule = &pairs.schedule}, 30, {.seed = 1});
  for (size_t i = 0; i < 2; ++i) CHECK(last[i] == doctest::Approx(whole[4 + i]).epsilon(1e-4));
  for (double margin : preference_margins(judge, &judge, judged(pairs), 30, {.seed = 1})) CHECK(margin == 0);
}

TEST_CASE("preference accuracy: timesteps are the middles of equal parts") {
  CHECK(judged_timesteps(1000, 10, 1) == std::vector<int64_t>{50, 150, 250, 350, 450, 550, 650, 750, 850, 950});
  CHECK(judged_timesteps(100, 2, 2) == std::vector<int64_t>{12, 37, 62, 87});
  CHECK(judged_timesteps(3, 3, 1) == std::vector<int64_t>{0, 1, 2});
  CHECK(message_of([] { judged_timesteps(3, 2, 2); }) ==
        "preference accuracy: bins times draws must be 1 to 3 timesteps (2 times 2)");
}
