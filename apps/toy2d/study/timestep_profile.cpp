#include "apps/toy2d/study/timestep_profile.h"

#include "align/eval/score_error.h"
#include "align/preference_step.h"
#include "apps/toy2d/pairs.h"
#include "autograd/grad_mode.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "nn/visitors.h"

namespace plumb::toy2d {
namespace {

constexpr int64_t kPairsPerClass = 1000, kBins = 10;

std::vector<TimestepBin> reward_bins(Denoiser& student, Denoiser& initial, const Gaussians2d& world,
                                     const NoiseSchedule& schedule, const RandomKey& key) {
  NoGrad no_grad;
  const std::unique_ptr<Objective> objective = make_objective("diffusion_dpo", {{"reduction", "sum"}});
  const std::unique_ptr<PolicyPair> policy = make_forward_process_pair();
  const PreferenceStep forward{.student = &student,
                               .reference = &initial,
                               .initial = &initial,
                               .objective = objective.get(),
                               .policy = policy.get(),
                               .schedule = &schedule};
  const Device device = device_of(student);
  const PreferencePairs pairs = clean_pairs(world, kPairsPerClass, key.fork("pairs")).to(device);
  const Tensor t = randint(key.fork("t"), 0, schedule.num_train_timesteps(), {pairs.size()}, device);
  const ObjectiveOutput output = forward(pairs, t, randn(key.fork("noise"), pairs.winners.shape(), DType::f32, device));
  TimestepBins bins(schedule.num_train_timesteps(), std::min(kBins, schedule.num_train_timesteps()));
  bins.add(output, cat({t, t}, 0));
  return bins.bins();
}

}  // namespace

TimestepProfile timestep_profile(Denoiser& student, Denoiser& initial, const Gaussians2d& world,
                                 const NoiseSchedule& schedule, const RandomKey& key) {
  return {.score_error = score_error_by_timestep(student, world, schedule, key.fork("score error")),
          .rewards = reward_bins(student, initial, world, schedule, key.fork("rewards"))};
}

}  // namespace plumb::toy2d
