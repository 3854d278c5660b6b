// A UNet on a device beside the CPU: f32 and bf16, adapters, checkpointed blocks, and preference fine-tuning as a
// replayed step.

#include "diffusion/unet_denoiser.h"

#include <doctest/doctest.h>

#include "align/preference_trainer.h"
#include "apps/common/step_graph.h"
#include "autograd/backward.h"
#include "autograd/ops.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "nn/adapter.h"
#include "nn/optim/adam.h"
#include "tests/support/numeric.h"

namespace plumb {
namespace {

constexpr Device kDevice{DeviceType::cuda, 0};

UNet2DOptions small() {
  UNet2DOptions options;
  options.down_block_types = {"DownBlock2D", "AttnDownBlock2D"};
  options.up_block_types = {"AttnUpBlock2D", "UpBlock2D"};
  options.block_out_channels = {8, 16};
  options.attention_head_dim = 8;
  options.layers_per_block = 1;
  options.norm_num_groups = 4;
  options.num_class_embeds = 3;
  return options;
}

std::unique_ptr<UNetDenoiser> make_unet(Device device, DType dtype, bool adapted = false) {
  Generator generator(1);
  auto unet = std::make_unique<UNetDenoiser>(small(), generator);
  to_device(*unet, device);
  to_dtype(*unet, dtype);
  if (!adapted) return unet;
  add_adapters(*unet, "student", generator, {.rank = 2});
  for (const AdaptableLayer& layer : adaptable_layers(*unet))
    if (Adapter* adapter = layer.adapters->find("student"))
      adapter->up.assign(test::random_tensor(adapter->up.shape(), 8, DType::f32) * 0.1);
  return unet;
}

struct Pass {
  std::vector<double> prediction, gradients;
};

Pass pass_of(UNetDenoiser& unet, bool adapted) {
  const Device device = device_of(unet);
  const AdapterScope scope(unet, adapted ? "student" : "none");
  const Tensor x = test::random_tensor({2, 3, 8, 8}, 1, DType::f32).to(device);
  const Tensor t = full({2}, 400, DType::f32, device), labels = arange(0, 2).to(device);
  const Variable y = unet.predict(x, t, {.labels = labels});
  backward(mean(square(y)));
  Pass pass{y.value().to_vector<double>(), {}};
  for (const NamedParameter& named : parameters(unet)) {
    const Tensor grad = named.parameter->grad();
    for (const double g : grad.defined() ? grad.to_vector<double>() : std::vector<double>{0})
      pass.gradients.push_back(g);
  }
  return pass;
}

/// Four pairs of pictures.
PreferencePairs pairs_on(Device device) {
  const auto random = [&](uint64_t seed) { return test::random_tensor({4, 3, 8, 8}, seed, DType::f32).to(device); };
  const Tensor labels = from_vector<int64_t>({0, 1, 2, 0}, {4}).to(device);
  return {random(1), random(2), {.labels = labels}, {}};
}

}  // namespace

TEST_CASE("UNet on a device: prediction and gradients are close to the CPU's, with adapters and in bf16 too") {
  for (const DType dtype : {DType::f32, DType::bf16})
    for (const bool adapted : {false, true}) {
      CAPTURE(adapted);
      const Pass wanted = pass_of(*make_unet(kCpu, dtype, adapted), adapted);
      const Pass got = pass_of(*make_unet(kDevice, dtype, adapted), adapted);
      CHECK(test::norm_error(got.prediction, wanted.prediction) <= (dtype == DType::f32 ? 1e-5 : 2e-2));
      CHECK(test::norm_error(got.gradients, wanted.gradients) <= (dtype == DType::f32 ? 1e-4 : 3e-2));
    }
}

TEST_CASE("UNet on a device: blocks that are computed again give the same prediction and gradients") {
  const auto kept = make_unet(kDevice, DType::f32), again = make_unet(kDevice, DType::f32);
  again->unet().set_gradient_checkpointing(true);
  const Pass a = pass_of(*kept, false), b = pass_of(*again, false);
  CHECK(a.prediction == b.prediction);
  CHECK(test::norm_error(a.gradients, b.gradients) <= 1e-6);  // the time's gradients are added in another order
}

TEST_CASE("UNet on a device: preference fine-tuning, replayed, has the bits of steps that run") {
  const NoiseSchedule schedule(NoiseScheduleOptions{});
  const auto objective = make_objective("diffusion_dpo", {{"beta", "10"}});
  const auto policy = make_forward_process_pair();
  const auto run = [&](Device device, bool replay) {
    const auto student = make_unet(device, DType::f32), initial = make_unet(device, DType::f32);
    set_requires_grad(*initial, false);
    const PreferencePairs pairs = pairs_on(device);
    AdamW optimizer(parameters(*student), {.learning_rate = 1e-4});
    PreferenceTrainer trainer({.student = student.get(),
                               .initial = initial.get(),
                               .objective = objective.get(),
                               .policy = policy.get(),
                               .schedule = &schedule,
                               .optimizer = &optimizer},
                              {.max_grad_norm = 1, .micro_batch = 2});
    StepGraph<PreferenceStepResult> graph(device, replay);
    std::vector<double> numbers;
    for (int64_t step = 0; step < 6; ++step) {
      const auto work = [&](int64_t drawn) {
        PreferenceStepResult now = trainer.gradients(pairs, RandomKey{.seed = 4}.at_step(uint64_t(drawn)));
        trainer.update(now);
        return now;
      };
      PreferenceStepResult result = replay ? graph.run(step, &trainer, work) : work(step);
      trainer.finish(result);
      const StepStatistics statistics = step_statistics(result);
      numbers.insert(numbers.end(), {statistics.loss, *statistics.grad_norm, statistics.error_w, *statistics.margin});
    }
    return numbers;
  };
  const std::vector<double> eager = run(kDevice, false), replayed = run(kDevice, true), host = run(kCpu, false);
  CHECK(replayed == eager);
  CHECK(test::norm_error(eager, host) <= 1e-4);
}

}  // namespace plumb
