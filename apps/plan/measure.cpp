#include "apps/plan/measure.h"

#include <algorithm>
#include <chrono>

#include "apps/align/setup.h"
#include "engine/allocator.h"
#include "engine/ops/random/random.h"

namespace plumb::plan {
namespace {

PreferencePairs random_pairs(const PointDenoiserOptions& network, int64_t count) {
  const RandomKey key{.seed = 1};
  PreferencePairs pairs{.winners = randn(key.fork("winners"), {count, network.dimensions}),
                        .losers = randn(key.fork("losers"), {count, network.dimensions}),
                        .condition = {},
                        .negative = {}};
  if (network.classes == 0) return pairs;
  pairs.condition.labels = randint(key.fork("c"), 0, network.classes, {count});
  pairs.negative.labels = randint(key.fork("c-"), 0, network.classes, {count});
  return pairs;
}

}  // namespace

Memory memory_of(const MemoryOptions& o) {
  constexpr int64_t kBytes = 4;
  const bool lora = o.adapter_parameters > 0;
  const int64_t trained = lora ? o.adapter_parameters : o.parameters;
  Memory memory{.parameters = o.parameters, .trained = trained};
  memory.weights = kBytes * (o.parameters + o.adapter_parameters);
  memory.gradients = kBytes * trained;
  memory.optimizer = o.optimizer.value_or(2 * kBytes * trained);
  memory.average = o.average ? kBytes * trained : 0;
  memory.initial = lora ? 0 : kBytes * o.parameters;
  memory.moving = o.moving ? kBytes * trained : 0;
  return memory;
}

MeasuredStep measure_step(const AlignSettings& settings, PointModel model) {
  const int64_t before = allocator_statistics().allocated_bytes - 4 * count(parameters(*model.network));
  const PreferencePairs pairs = random_pairs(model.network->options(), settings.effective_batch());
  AlignSettings untrained = settings;
  untrained.models.policy.data_driven.steps = 0;  // as large as trained ones
  AlignSetup setup(untrained, std::move(model), pairs, RandomKey{});
  MeasuredStep measured{.seconds = 1e300, .trained = count(setup.models.trained())};
  for (uint64_t step = 0; step < 3; ++step) {
    if (step == 1) reset_peak_memory();  // the first made what is kept: gradients and moments
    const auto begin = std::chrono::steady_clock::now();
    setup.trainer.step(pairs, RandomKey{.seed = 2, .step = step});
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    measured.seconds = std::min(measured.seconds, seconds.count());
    if (step == 1) measured.peak_bytes = allocator_statistics().peak_allocated_bytes - before;
  }
  return measured;
}

}  // namespace plumb::plan
