// One step of preference fine-tuning of the toy network on a fixed batch of pairs: draws, noising, frozen and trained
// forwards, loss, backward, gradient norm, AdamW. The peer is bench/peers/torch_peer.py (which leaves the norm out).
// Bound: 249,000 floating-point operations a trained row in matrix products, 83,000 a frozen one; a pair has two
// trained rows and two frozen ones, three with TF-CPP.

#include <benchmark/benchmark.h>

#include "align/downgrade/downgrade.h"
#include "align/preference_trainer.h"
#include "diffusion/point_denoiser.h"
#include "engine/ops/random/random.h"
#include "engine/parallel.h"
#include "nn/optim/adam.h"

using namespace plumb;

namespace {

struct StepKind {
  const char* objective;
  bool training_free = false;
  bool downgrade = false;
};

void preference_step(benchmark::State& state, const StepKind& kind) {
  set_num_threads(1);
  const int64_t n = state.range(0);
  const RandomKey key{.seed = 1};
  Generator generator(1);
  PointDenoiser student({}, generator);
  const std::unique_ptr<PointDenoiser> initial = clone(student);
  const NoiseSchedule schedule({.num_train_timesteps = 100, .beta_start = 1e-3, .beta_end = 0.2});
  const std::unique_ptr<Objective> objective = make_objective(kind.objective);
  const std::unique_ptr<PolicyPair> policy =
      kind.training_free ? make_training_free_pair() : make_forward_process_pair();
  AdamW optimizer(parameters(student), {.learning_rate = 1e-5, .weight_decay = 1e-2});
  const PreferencePairs pairs{randn(key.fork("winners"), {n, 2}),
                              randn(key.fork("losers"), {n, 2}),
                              {.labels = randint(key.fork("labels"), 0, 6, {n})},
                              {.labels = randint(key.fork("negatives"), 0, 6, {n})}};
  PreferenceTrainerOptions options;
  if (kind.downgrade) options.transform = Downgrade({});
  PreferenceTrainer trainer({.student = &student,
                             .initial = initial.get(),
                             .objective = objective.get(),
                             .policy = policy.get(),
                             .schedule = &schedule,
                             .optimizer = &optimizer},
                            options);
  uint64_t step = 0;
  for (auto _ : state) {
    const PreferenceStepResult result = trainer.step(pairs, key.at_step(step++));
    benchmark::DoNotOptimize(result.output.loss.value().raw_data());
  }
}

void dpo_step(benchmark::State& state) { preference_step(state, {.objective = "diffusion_dpo"}); }
void tf_cpp_step(benchmark::State& state) { preference_step(state, {.objective = "ddspo", .training_free = true}); }
void self_dpo_step(benchmark::State& state) { preference_step(state, {.objective = "self_dpo", .downgrade = true}); }
void dspo_step(benchmark::State& state) { preference_step(state, {.objective = "dspo"}); }
BENCHMARK(dpo_step)->Arg(64)->Unit(benchmark::kMicrosecond);
BENCHMARK(tf_cpp_step)->Arg(64)->Unit(benchmark::kMicrosecond);
BENCHMARK(self_dpo_step)->Arg(64)->Unit(benchmark::kMicrosecond);
BENCHMARK(dspo_step)->Arg(64)->Unit(benchmark::kMicrosecond);

}  // namespace
