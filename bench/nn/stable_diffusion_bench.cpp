// The parts of Stable Diffusion beside its UNet, at their real size with random weights, f32, one thread: a picture of
// 512 x 512 from its latents, the latents of one, and a prompt through CLIP-L. The peer is
// bench/peers/torch_stable_diffusion.py. Bounds: 2.5 Tflop, 1.1 Tflop, 13 Gflop.

#include "autograd/grad_mode.h"
#include "bench/nn/unet_config.h"
#include "engine/ops/random/random.h"
#include "engine/parallel.h"
#include "nn/clip/clip_text_model.h"
#include "nn/vae/autoencoder_kl.h"

using namespace plumb;

namespace {

AutoencoderKL& autoencoder() {
  static AutoencoderKL model = [] {
    AutoencoderKLOptions options;
    options.block_out_channels = {128, 256, 512, 512};
    options.down_block_types.assign(4, "DownEncoderBlock2D");
    options.up_block_types.assign(4, "UpDecoderBlock2D");
    options.layers_per_block = 2;
    Generator generator(1);
    return AutoencoderKL(options, generator);
  }();
  return model;
}

template <class F>
void repeat(benchmark::State& state, F call) {
  set_num_threads(1);
  const NoGrad no_grad;
  for (int i = 0; i < 2; ++i) call();  // fills the allocator's cache; weights are packed when they are used again
  reset_peak_memory();
  for (auto _ : state) benchmark::DoNotOptimize(call().value().raw_data());
  bench::count_memory(state);
}

void vae_sd_decode(benchmark::State& state) {
  const Tensor z = randn(RandomKey{.seed = 1}, {state.range(0), 4, 64, 64});
  repeat(state, [&] { return autoencoder().decode(z); });
}

void vae_sd_encode(benchmark::State& state) {
  const Tensor x = randn(RandomKey{.seed = 1}, {state.range(0), 3, 512, 512});
  repeat(state, [&] { return autoencoder().encode(x).mean(); });
}

void clip_l_forward(benchmark::State& state) {
  const ClipTextOptions options{.hidden_size = 768, .intermediate_size = 3072, .num_attention_heads = 12};
  Generator generator(1);
  ClipTextModel model(options, generator);
  const Tensor ids = randint(RandomKey{.seed = 1}, 0, options.vocab_size, {state.range(0), 77});
  repeat(state, [&] { return model.forward(ids).last_hidden_state; });
}

BENCHMARK(vae_sd_decode)->Arg(1)->Unit(benchmark::kMillisecond);
BENCHMARK(vae_sd_encode)->Arg(1)->Unit(benchmark::kMillisecond);
BENCHMARK(clip_l_forward)->Arg(2)->Unit(benchmark::kMillisecond);

}  // namespace
