// One Diffusion-DPO step on pairs of pictures, one thread, of the UNet of PERFORMANCE's table and of the study's small
// one with text: draws, noising, frozen and trained forward of both pictures of each pair, loss, backward, gradient
// norm, AdamW. The peers are bench/peers/torch_unet.py and torch_condition_unet.py (which leave the norm out). Bound:
// four forwards' work on twice as many pictures as pairs.

#include "align/preference_trainer.h"
#include "bench/nn/condition_config.h"
#include "bench/nn/unet_config.h"
#include "diffusion/unet_condition_denoiser.h"
#include "diffusion/unet_denoiser.h"
#include "engine/ops/random/random.h"
#include "engine/parallel.h"
#include "nn/optim/adam.h"

using namespace plumb;

namespace {

void dpo_steps(benchmark::State& state, Denoiser& student, const Condition& condition) {
  const int64_t n = state.range(0);
  const RandomKey key{.seed = 1};
  const std::unique_ptr<Denoiser> initial = clone(student);
  const NoiseSchedule schedule({});
  const std::unique_ptr<Objective> objective = make_objective("diffusion_dpo");
  const std::unique_ptr<PolicyPair> policy = make_forward_process_pair();
  AdamW optimizer(parameters(student), {.learning_rate = 1e-5, .weight_decay = 1e-2});
  const PreferencePairs pairs{
      randn(key.fork("winners"), {n, 3, 32, 32}), randn(key.fork("losers"), {n, 3, 32, 32}), condition, {}};
  PreferenceTrainer trainer({.student = &student,
                             .initial = initial.get(),
                             .objective = objective.get(),
                             .policy = policy.get(),
                             .schedule = &schedule,
                             .optimizer = &optimizer});
  uint64_t step = 0;
  trainer.step(pairs, key.at_step(step++));  // fills the allocator's cache
  reset_peak_memory();
  for (auto _ : state) {
    const PreferenceStepResult result = trainer.step(pairs, key.at_step(step++));
    benchmark::DoNotOptimize(result.output.loss.value().raw_data());
  }
  bench::count_memory(state);
}

void unet_dpo_step(benchmark::State& state) {
  set_num_threads(1);
  Generator generator(1);
  UNetDenoiser student(bench::unet_options(), generator);
  dpo_steps(state, student, {});
}

void unet_recipe_dpo_step(benchmark::State& state) {
  set_num_threads(1);
  Generator generator(1);
  UNetConditionDenoiser student(bench::recipe_condition_options(), generator);
  dpo_steps(state, student, {.context = randn(RandomKey{.seed = 3}, {state.range(0), 16, 64})});
}
BENCHMARK(unet_dpo_step)->Arg(16)->Unit(benchmark::kMillisecond);
BENCHMARK(unet_recipe_dpo_step)->Arg(16)->Unit(benchmark::kMillisecond);

}  // namespace
