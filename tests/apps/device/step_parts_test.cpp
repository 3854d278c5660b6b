// What a training step on a device is made of, beside the CPU: tables, draws, batch statistics, skipped updates.

#include <doctest/doctest.h>

#include "align/objective.h"
#include "align/preference_weight.h"
#include "align/timestep_sampler.h"
#include "diffusion/point_denoiser.h"
#include "diffusion/sampler/sampler.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "nn/layers/timestep_embedding.h"
#include "nn/visitors.h"
#include "tests/support/numeric.h"

namespace plumb {
namespace {

constexpr Device kDevice{DeviceType::cuda, 0};

std::vector<double> numbers(const Tensor& x) { return x.to_vector<double>(); }

void check_close(const Tensor& got, const Tensor& wanted, double tolerance) {
  CHECK(got.device() == kDevice);
  REQUIRE(got.shape() == wanted.shape());
  CHECK(got.dtype() == wanted.dtype());
  const std::vector<double> a = numbers(got), b = numbers(wanted);
  for (size_t i = 0; i < a.size(); ++i) CHECK(std::abs(a[i] - b[i]) <= tolerance * std::max(1.0, std::abs(b[i])));
}

/// An objective's input of B pairs, or of 2B samples with labels.
ObjectiveInput input_on(Device device, const Tensor& labels) {
  const auto random = [&](uint64_t seed) { return test::random_tensor({6, 5}, seed, DType::f32).to(device); };
  ObjectiveInput input{.pred = Variable::leaf(random(1)), .ref = random(2), .target = random(3)};
  if (labels.defined()) input.labels = labels.to(device);
  return input;
}

}  // namespace

TEST_CASE("on a device: levels and times of a schedule are the CPU's, bit for bit") {
  const std::vector<int64_t> steps{0, 99, 50, 50, 7};
  const Tensor t = from_vector(steps, {5});
  for (const NoiseSchedule& schedule :
       {NoiseSchedule({.num_train_timesteps = 100, .beta_start = 1e-3, .beta_end = 0.2}),
        NoiseSchedule::flow(100, 3)}) {
    const NoiseSchedule copy = schedule;
    for (const DType dtype : {DType::f32, DType::f64}) {
      const NoiseLevel got = copy.level(t.to(kDevice), 3, dtype), wanted = schedule.level(t, 3, dtype);
      check_close(got.alpha, wanted.alpha, 0);
      check_close(got.sigma, wanted.sigma, 0);
    }
    check_close(copy.network_time(t.to(kDevice)), schedule.network_time(t), 0);
    check_close(copy.alphas_cumprod(kDevice), schedule.alphas_cumprod(), 0);
  }
}

TEST_CASE("on a device: timesteps of every distribution are the CPU's") {
  const RandomKey key{.seed = 5, .step = 3, .sample0 = 11};
  for (const char* name : {"uniform", "aware", "linear", "sigmoid", "logit_normal", "mode"}) {
    CAPTURE(name);
    for (const int64_t timesteps : {1, 7, 1000}) {
      const TimestepSampler sampler({.kind = timestep_sampling_from_name(name), .bins = 5}, timesteps);
      check_close(sampler.draw(key, 301, kDevice), sampler.draw(key, 301), 0);
    }
  }
}

TEST_CASE("on a device: the time weights of DSPO and the sinusoids of a timestep") {
  const NoiseSchedule schedule({.num_train_timesteps = 50});
  const Tensor t = from_vector<int64_t>({0, 1, 49, 20}, {4});
  check_close(time_coefficients("test", schedule.alphas_cumprod(kDevice), t.to(kDevice)),
              time_coefficients("test", schedule.alphas_cumprod(), t), 0);
  for (const int64_t dim : {8, 7})
    check_close(timestep_embedding(t.to(kDevice), dim), timestep_embedding(t, dim), 1e-6);
}

TEST_CASE("on a device: an objective's batch statistics, and the loss they give, with samples of one kind alone too") {
  const Tensor mixed = from_vector<float>({1, -1, -1, 1, 1, -1}, {6}), wanted = full({6}, 1.0),
               unwanted = full({6}, -1.0);
  for (const char* offset : {"mean", "balanced", "mismatched"})
    for (const Tensor& labels : {mixed, wanted, unwanted, Tensor()}) {
      const auto objective = make_objective("diffusion_kto", {{"offset", offset}, {"beta", "2"}});
      ObjectiveInput host = input_on(kCpu, labels), there = input_on(kDevice, labels);
      for (ObjectiveInput* input : {&host, &there}) input->pred_roll = input->target, input->ref_roll = input->ref;
      check_close(objective->batch_statistics(there), objective->batch_statistics(host), 1e-6);
      check_close((*objective)(there).offset, (*objective)(host).offset, 1e-5);
      host.statistics = objective->batch_statistics(host), there.statistics = objective->batch_statistics(there);
      check_close((*objective)(there).offset, (*objective)(host).offset, 1e-5);
      check_close((*objective)(there).loss.value(), (*objective)(host).loss.value(), 1e-5);
    }
  const auto objective = make_objective("dspo_xl", {{"beta", "2"}});
  ObjectiveInput host = input_on(kCpu, {}), there = input_on(kDevice, {});
  check_close(objective->batch_statistics(there), objective->batch_statistics(host), 1e-6);
  host.statistics = objective->batch_statistics(host), there.statistics = objective->batch_statistics(there);
  check_close((*objective)(there).loss.value(), (*objective)(host).loss.value(), 1e-5);
}

TEST_CASE("on a device: samples come back to where their noise is, close to the CPU's") {
  Generator generator(1);
  PointDenoiser network({.classes = 3, .hidden = 8, .hidden_layers = 2}, generator), moved(network);
  to_device(moved, kDevice);
  const NoiseSchedule schedule({.num_train_timesteps = 20});
  const SamplerStart start{.noise = randn(RandomKey{.seed = 2}, {5, 2}),
                           .condition = {.labels = from_vector<int64_t>({0, 1, 2, 0, 1}, {5})},
                           .negative = {.labels = zeros({5}, DType::i64)},
                           .key = {.seed = 3}};
  for (const SamplerKind kind : {SamplerKind::ddim, SamplerKind::ddpm}) {
    const SamplerOptions options{.kind = kind, .steps = 4, .guidance_scale = 1.5, .rows_per_pass = 2};
    std::vector<Tensor> path;
    const Tensor wanted = sample(network, schedule, start, options);
    const Tensor got = sample(moved, schedule, start, options), whole = sample(moved, schedule, start, options, &path);
    CHECK(got.device() == kCpu);
    check_close(got.to(kDevice), wanted, 1e-5);
    CHECK(path.size() == 5);
    for (const Tensor& step : path) CHECK(step.device() == kCpu);
    CHECK(numbers(path.back()) == numbers(whole));
  }
}

}  // namespace plumb
