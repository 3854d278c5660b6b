#include <doctest/doctest.h>

#include <sys/resource.h>

#include "autograd/backward.h"
#include "diffusion/denoising_loss.h"
#include "diffusion/point_denoiser.h"
#include "diffusion/unet_denoiser.h"
#include "engine/allocator.h"
#include "engine/ops/random/random.h"
#include "engine/parallel.h"
#include "nn/optim/adam.h"
#include "nn/optim/clip.h"
#include "tests/support/sanitized.h"

using namespace plumb;

// A training loop past its first steps asks the system for nothing: the allocator has every block that a step needs.

namespace {

/// One step on fresh random data.
void train(Denoiser& network, AdamW& optimizer, const Shape& shape, int64_t classes, uint64_t step) {
  static const NoiseSchedule schedule({});
  const RandomKey key{.seed = 3, .step = step};
  DenoisingBatch batch{randn(key.fork("x"), shape),
                       randn(key.fork("noise"), shape),
                       randint(key.fork("t"), 0, schedule.num_train_timesteps(), {shape[0]}),
                       {}};
  if (classes > 0) batch.condition.labels = randint(key.fork("label"), 0, classes, {shape[0]});
  optimizer.zero_grad();
  backward(denoising_loss(network, schedule, Prediction::epsilon, batch));
  clip_grad_norm(optimizer.arena(), 1.0);
  optimizer.step();
}

constexpr bool kCountsFaults = !test::kSanitized;  // a sanitizer's shadow pages are counted too

int64_t page_faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

struct Steady {
  int64_t system_requests, reserved_bytes, faults;
  int64_t least_peak, greatest_peak;
};

Steady after_warm_up(Denoiser& network, const Shape& shape, int64_t classes) {
  constexpr uint64_t kWarmUp = 3, kSteps = 10;
  AdamW optimizer(parameters(network));
  for (uint64_t step = 0; step < kWarmUp; ++step) train(network, optimizer, shape, classes, step);
  const AllocatorStatistics before = allocator_statistics();
  const int64_t faults = page_faults();
  Steady seen{0, 0, 0, INT64_MAX, 0};
  for (uint64_t step = kWarmUp; step < kWarmUp + kSteps; ++step) {
    reset_peak_memory();
    train(network, optimizer, shape, classes, step);
    const int64_t peak = allocator_statistics().peak_allocated_bytes;
    seen.least_peak = std::min(seen.least_peak, peak);
    seen.greatest_peak = std::max(seen.greatest_peak, peak);
  }
  seen.faults = page_faults() - faults;
  const AllocatorStatistics after = allocator_statistics();
  seen.system_requests = after.system_requests - before.system_requests;
  seen.reserved_bytes = after.reserved_bytes - before.reserved_bytes;
  return seen;
}

void report(int threads, const Steady& seen) {
  MESSAGE(threads << " threads: " << seen.system_requests << " requests to the system and " << seen.faults
                  << " page faults in ten steps, peaks " << seen.least_peak << " to " << seen.greatest_peak);
}

void check_steady(Denoiser& network, const Shape& shape, int64_t classes) {
  const int threads = num_threads();
  set_num_threads(1);
  const Steady alone = after_warm_up(network, shape, classes);
  report(1, alone);
  CHECK(alone.system_requests == 0);
  CHECK(alone.reserved_bytes == 0);
  CHECK(alone.least_peak == alone.greatest_peak);
  if (kCountsFaults) CHECK(alone.faults <= 20);
  // Threads take scratch memory for a chunk of work; how often two of them hold some at once is a matter of luck, so a
  // block of scratch may still be missing after the first steps.
  set_num_threads(2);
  const Steady shared = after_warm_up(network, shape, classes);
  report(2, shared);
  CHECK(shared.system_requests <= 4);
  CHECK(double(shared.reserved_bytes) < 0.25 * double(shared.greatest_peak));
  CHECK(double(shared.greatest_peak - shared.least_peak) < 0.25 * double(shared.greatest_peak));
  set_num_threads(threads);
}

}  // namespace

TEST_CASE("memory: training the network of points asks the system for nothing after its first steps") {
  Generator generator(1);
  PointDenoiser network({}, generator);
  check_steady(network, {512, 2}, network.options().classes);
}

TEST_CASE("memory: training convolutions, norms and attention asks the system for nothing after the first steps") {
  Generator generator(1);
  UNet2DOptions options;
  options.block_out_channels = {32, 32};
  options.down_block_types = {"DownBlock2D", "AttnDownBlock2D"};
  options.up_block_types = {"AttnUpBlock2D", "UpBlock2D"};
  options.layers_per_block = 1;
  options.attention_head_dim = 16;
  UNetDenoiser network(options, generator);
  check_steady(network, {4, 3, 16, 16}, 0);
}
