// Saving and verifying a checkpoint of DDPM's network for CIFAR-10 with AdamW's moments: 35.7 M parameters, 429 MB on
// disk. Bound: a SHA-256 and a write of every byte; disk_MB/s is what was reached. The folder is TMPDIR's.

#include <chrono>
#include <filesystem>

#include "autograd/backward.h"
#include "bench/nn/unet_config.h"
#include "engine/ops/random/random.h"
#include "engine/parallel.h"
#include "nn/checkpoint_writer.h"
#include "nn/optim/adam.h"
#include "nn/unet/unet2d_model.h"

using namespace plumb;

namespace {

namespace fs = std::filesystem;

UNet2DOptions cifar_options() {
  UNet2DOptions options;
  options.block_out_channels = {128, 256, 256, 256};
  options.down_block_types = {"DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"};
  options.up_block_types = {"UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"};
  options.layers_per_block = 2;
  options.attention_head_dim = 256;
  return options;
}

/// The network after a step, so that there are moments to save.
struct Trained {
  Trained() : generator(1), model(cifar_options(), generator), optimizer(parameters(model), {}) {
    for (const NamedParameter& entry : parameters(model))
      backward(entry.parameter->variable(), {.grad = randn(RandomKey{.seed = 1}, entry.parameter->shape())});
    optimizer.step();
  }
  TrainingState state() { return {&model, &optimizer}; }

  Generator generator;
  UNet2DModel model;
  AdamW optimizer;
};

void checkpoint(benchmark::State& state, bool loads) {
  set_num_threads(int(state.range(0)));
  Trained run;
  const fs::path folder = fs::temp_directory_path() / "plumb-checkpoint-bench";
  fs::remove_all(folder);
  save_checkpoint(folder, 0, run.state(), Json::object());
  int64_t step = 0, bytes = 0;
  for (const auto& entry : fs::directory_iterator(folder / "checkpoint-0")) bytes += int64_t(entry.file_size());
  for (auto _ : state) {
    if (loads)
      load_checkpoint(find_checkpoint(folder)->path, run.state());
    else
      save_checkpoint(folder, ++step, run.state(), Json::object(), 1);
  }
  fs::remove_all(folder);
  state.counters["MB"] = double(bytes) * 1e-6;
  state.SetBytesProcessed(bytes * int64_t(state.iterations()));
}

/// What a step of training waits for.
void checkpoint_stall(benchmark::State& state) {
  set_num_threads(int(state.range(0)));
  Trained run;
  const fs::path folder = fs::temp_directory_path() / "plumb-checkpoint-bench";
  fs::remove_all(folder);
  CheckpointWriter writer;
  int64_t step = 0;
  for (auto _ : state) {
    const auto begin = std::chrono::steady_clock::now();
    writer.write(folder, ++step, run.state(), Json::object(), 1);
    state.SetIterationTime(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    writer.finish();  // the next one would wait for it
  }
  fs::remove_all(folder);
}

void checkpoint_save(benchmark::State& state) { checkpoint(state, false); }
void checkpoint_load(benchmark::State& state) { checkpoint(state, true); }

BENCHMARK(checkpoint_save)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(checkpoint_stall)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseManualTime();
BENCHMARK(checkpoint_load)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
