#include "apps/toy2d/study/timestep_profile.h"

#include <cmath>

#include "align/eval/score_error.h"
#include "apps/toy2d/pairs.h"
#include "autograd/grad_mode.h"
#include "diffusion/process/add_noise.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"

namespace plumb::toy2d {
namespace {

constexpr int64_t kPairsPerClass = 100;

/// r of each row: how much better than the initial model the student denoises it.
std::vector<double> rewards(Denoiser& student, Denoiser& initial, const Tensor& x, const Tensor& t,
                            const Condition& condition, const Tensor& noise) {
  const Tensor time = t.to(DType::f32);
  const auto error = [&](Denoiser& model) {
    return sample_error(model.predict(x, time, condition).value(), noise, Reduction::sum);
  };
  return (error(initial) - error(student)).to_vector<double>();
}

}  // namespace

TimestepProfile timestep_profile(Denoiser& student, Denoiser& initial, const Gaussians2d& world,
                                 const NoiseSchedule& schedule, const RandomKey& key) {
  NoGrad no_grad;
  TimestepProfile profile{.score_error = score_error_by_timestep(student, world, schedule, key.fork("score error")),
                          .reward_scale = {},
                          .reward_margin = {},
                          .accuracy = {}};
  const int64_t timesteps = schedule.num_train_timesteps();
  for (int64_t bin = 0; bin < kProfileBins; ++bin) {
    const RandomKey at = key.at_step(uint64_t(bin));
    const int64_t low = bin * timesteps / kProfileBins, high = (bin + 1) * timesteps / kProfileBins;
    const PreferencePairs pairs = clean_pairs(world, kPairsPerClass, at.fork("pairs"));
    const Tensor t = randint(at.fork("t"), low, std::max(high, low + 1), {pairs.size()});
    const Tensor noise = randn(at.fork("noise"), {pairs.size(), 2});
    const std::vector<double> winner =
        rewards(student, initial, add_noise(schedule, pairs.winners, noise, t), t, pairs.condition, noise);
    const std::vector<double> loser =
        rewards(student, initial, add_noise(schedule, pairs.losers, noise, t), t, pairs.condition, noise);
    double scale = 0, margin = 0, right = 0;
    for (size_t i = 0; i < winner.size(); ++i) {
      scale += (std::abs(winner[i]) + std::abs(loser[i])) / 2;
      margin += winner[i] - loser[i];
      right += winner[i] > loser[i];
    }
    const double count = double(winner.size());
    profile.reward_scale.push_back(scale / count);
    profile.reward_margin.push_back(margin / count);
    profile.accuracy.push_back(right / count);
  }
  return profile;
}

}  // namespace plumb::toy2d
