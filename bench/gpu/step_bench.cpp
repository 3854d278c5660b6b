// Whole training steps: draws, noising, forwards, loss, backward, gradient norm, AdamW. `NAME` is one replay of the
// step captured as a CUDA graph, `NAME_eager` launches every kernel. Times include what the host does. Peer:
// bench/peers/torch_gpu_steps.py.
//   toy_dpo_step  Diffusion-DPO on the toy network, 42,050 parameters
//   unet_step     DDPM's network for CIFAR-10 (32 x 32 x 3, 35,746,307 parameters, 12.4 GFLOP a forward); bf16: f32
//                 masters, losses and optimiser
//   sd_step       Stable Diffusion 1.5's network (859,520,964 parameters) on latents of 64 x 64 and 77 tokens
//   sd_forward    its prediction alone

#include <chrono>
#include <memory>

#include "align/preference_trainer.h"
#include "autograd/backward.h"
#include "autograd/grad_mode.h"
#include "bench/gpu/timing.h"
#include "bench/nn/condition_config.h"
#include "diffusion/denoising_loss.h"
#include "diffusion/point_denoiser.h"
#include "diffusion/unet_condition_denoiser.h"
#include "diffusion/unet_denoiser.h"
#include "engine/allocator.h"
#include "engine/cuda/graph.h"
#include "engine/cuda/transfer.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "engine/random/step_scope.h"
#include "nn/optim/adam.h"
#include "nn/optim/clip.h"

using namespace plumb;
using namespace plumb::bench;

namespace {

/// Moves a network to the device, in `dtype`, before an optimiser takes its parameters.
ParameterList on_device(Module& network, DType dtype) {
  to_device(network, kCuda);
  to_dtype(network, dtype);
  return parameters(network);
}

/// A step whose draws are made at a step number in device memory.
class Step {
 public:
  virtual ~Step() = default;
  void operator()() {
    const RandomStepScope scope(number_);
    work();
  }
  void prepare(int64_t number) { number_.fill_(double(number)); }

 protected:
  virtual void work() = 0;

 private:
  Tensor number_ = scalar(0, DType::i64, kCuda);
};

class ToyDpoStep final : public Step {
 public:
  ToyDpoStep(int64_t pairs, DType dtype) : optimizer_(on_device(student_, dtype), {.learning_rate = 1e-5}) {
    to_device(*initial_, kCuda);
    const RandomKey key{.seed = 2};
    pairs_ = {values({pairs, 2}, DType::f32, 1),
              values({pairs, 2}, DType::f32, 2),
              {.labels = randint(key.fork("labels"), 0, 6, {pairs}, kCuda)},
              {.labels = randint(key.fork("negatives"), 0, 6, {pairs}, kCuda)}};
    trainer_ = std::make_unique<PreferenceTrainer>(PreferenceModels{.student = &student_,
                                                                    .initial = initial_.get(),
                                                                    .objective = objective_.get(),
                                                                    .policy = policy_.get(),
                                                                    .schedule = &schedule_,
                                                                    .optimizer = &optimizer_});
  }

 private:
  void work() override { trainer_->step(pairs_, RandomKey{.seed = 3}); }

  Generator generator_{1};
  PointDenoiser student_{{}, generator_};
  std::unique_ptr<PointDenoiser> initial_ = clone(student_);
  NoiseSchedule schedule_{{.num_train_timesteps = 100, .beta_start = 1e-3, .beta_end = 0.2}};
  std::unique_ptr<Objective> objective_ = make_objective("diffusion_dpo");
  std::unique_ptr<PolicyPair> policy_ = make_forward_process_pair();
  AdamW optimizer_;
  PreferencePairs pairs_;
  std::unique_ptr<PreferenceTrainer> trainer_;
};

UNet2DOptions cifar() {
  UNet2DOptions options;
  options.block_out_channels = {128, 256, 256, 256};
  options.down_block_types = {"DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"};
  options.up_block_types = {"UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"};
  options.attention_head_dim = 256;
  return options;
}

class UNetStep final : public Step {
 public:
  UNetStep(int64_t count, DType dtype)
      : optimizer_(on_device(network_, dtype), {.learning_rate = 1e-4}),
        x0_(pictures({count, 3, 32, 32}, DType::f32, 1)) {}

 private:
  void work() override {
    const RandomKey key{.seed = 4};
    optimizer_.zero_grad();
    const DenoisingBatch batch{.x0 = x0_,
                               .noise = randn(key.fork("noise"), x0_.shape(), DType::f32, kCuda),
                               .t = randint(key.fork("t"), 0, 1000, {x0_.size(0)}, kCuda),
                               .condition = {}};
    backward(denoising_loss(network_, schedule_, Prediction::epsilon, batch));
    optimizer_.step(not_finite(grad_norm(optimizer_.arena())));
  }

  Generator generator_{1};
  UNetDenoiser network_{cifar(), generator_};
  NoiseSchedule schedule_{{}};
  AdamW optimizer_;
  Tensor x0_;
};

/// The latents and texts of a batch.
class StableDiffusion : public Step {
 protected:
  explicit StableDiffusion(int64_t count)
      : x0_(pictures({count, 4, 64, 64}, DType::f32, 1)), text_(values({count, 77, 768}, DType::f32, 2)) {}

  Generator generator_{1};
  UNetConditionDenoiser network_{stable_diffusion_options(), generator_};
  Tensor x0_, text_;
};

class StableDiffusionStep final : public StableDiffusion {
 public:
  StableDiffusionStep(int64_t count, DType dtype)
      : StableDiffusion(count), optimizer_(on_device(network_, dtype), {.learning_rate = 1e-5}) {}

 private:
  void work() override {
    const RandomKey key{.seed = 4};
    optimizer_.zero_grad();
    const DenoisingBatch batch{.x0 = x0_,
                               .noise = randn(key.fork("noise"), x0_.shape(), DType::f32, kCuda),
                               .t = randint(key.fork("t"), 0, 1000, {x0_.size(0)}, kCuda),
                               .condition = {.context = text_}};
    backward(denoising_loss(network_, schedule_, Prediction::epsilon, batch));
    optimizer_.step(not_finite(grad_norm(optimizer_.arena())));
  }

  NoiseSchedule schedule_{{.beta_schedule = BetaSchedule::scaled_linear, .beta_start = 0.00085, .beta_end = 0.012}};
  AdamW optimizer_;
};

class StableDiffusionForward final : public StableDiffusion {
 public:
  StableDiffusionForward(int64_t count, DType dtype) : StableDiffusion(count) { on_device(network_, dtype); }

 private:
  void work() override {
    const NoGrad no_grad;
    const Tensor t = full({x0_.size(0)}, 500, DType::f32, kCuda);
    network_.predict(x0_, t, {.context = text_});
  }
};

/// By the host's clock: launching is part of a step. Ten steps an iteration.
template <class Kind>
void time_steps(benchmark::State& state, int64_t size, DType dtype, bool captured) {
  constexpr int64_t kSteps = 10;
  Kind step(size, dtype);
  for (int64_t i = 0; i < 3; ++i) step();
  CudaGraph graph;
  if (captured) graph.capture(kCuda, [&] { step(); });
  synchronize(kCuda);
  int64_t number = 0;
  for (auto _ : state) {
    const auto begin = std::chrono::steady_clock::now();
    for (int64_t i = 0; i < kSteps; ++i) {
      step.prepare(++number);
      captured ? graph.replay() : step();
    }
    synchronize(kCuda);
    state.SetIterationTime(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() / kSteps);
  }
  if (captured) state.counters["launches"] = double(graph.nodes());
  state.counters["MiB"] = double(allocator_statistics(kCuda).peak_allocated_bytes) / double(1 << 20);
}

void add(const std::string& name, void (*function)(benchmark::State&, int64_t, DType, bool), DType dtype,
         int64_t size) {
  for (const bool captured : {true, false}) {
    const std::string full = name + (captured ? "/" : "_eager/") + name_of(dtype) + "/" + std::to_string(size);
    benchmark::RegisterBenchmark(full.c_str(), function, size, dtype, captured)->UseManualTime();
  }
}

const bool registered = [] {
  add("toy_dpo_step", time_steps<ToyDpoStep>, DType::f32, 256);
  for (const DType dtype : {DType::bf16, DType::f32}) add("unet_step", time_steps<UNetStep>, dtype, 16);
  add("sd_step", time_steps<StableDiffusionStep>, DType::bf16, 4);
  add("sd_forward", time_steps<StableDiffusionForward>, DType::bf16, 2);
  return true;
}();

}  // namespace
