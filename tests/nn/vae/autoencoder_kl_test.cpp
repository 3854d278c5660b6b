// Against diffusers (tests/golden/make_vae_cases.py). Weights come from the seed, as there.

#include "nn/vae/autoencoder_kl.h"

#include "autograd/backward.h"
#include "autograd/ops/elementwise.h"
#include "autograd/ops/layout.h"
#include "autograd/ops/loss.h"
#include "autograd/ops/reduce.h"
#include "engine/allocator.h"
#include "engine/parallel.h"
#include "tests/nn/unet/golden_network.h"

using namespace plumb;
using namespace plumb::test;

namespace {

AutoencoderKLOptions small() {
  AutoencoderKLOptions options;
  options.block_out_channels = {8, 16};
  options.down_block_types.assign(2, "DownEncoderBlock2D");
  options.up_block_types.assign(2, "UpDecoderBlock2D");
  options.norm_num_groups = 4;
  options.sample_size = 8;
  return options;
}

void check_case(const Golden& golden, const Json& entry, bool checkpointing) {
  const std::string name = entry.at("case").as_string();
  CAPTURE(name);
  CAPTURE(checkpointing);
  Generator generator(uint64_t(entry.at("seed").as_integer()));
  AutoencoderKL model(autoencoder_kl_options(entry.at("options")), generator);
  model.set_gradient_checkpointing(checkpointing);
  model.set_tiling(entry.at("tiled").as_bool());
  if (name.ends_with("f64")) to_dtype(model, DType::f64);
  perturb(model);
  const ParameterList list = parameters(model);
  CHECK(count(list) == entry.at("parameters").as_integer());

  const Variable x = Variable::leaf(golden.tensor(entry, "x"));
  const DiagonalGaussian moments = model.encode(x);
  const Variable z = moments.sample(golden.tensor(entry, "noise"));
  const Variable y = model.decode(z);
  CHECK(y.value().is_contiguous());
  backward(mse(y, golden.tensor(entry, "target")) + 0.01 * mean(moments.kl()));
  const double tolerance = output_tolerance(name);
  CHECK(norm_error(moments.mode().value(), golden.tensor(entry, "mean")) <= tolerance);
  CHECK(norm_error(moments.logvar().value(), golden.tensor(entry, "logvar")) <= tolerance);
  CHECK(norm_error(moments.kl().value(), golden.tensor(entry, "kl")) <= tolerance);
  CHECK(norm_error(z.value(), golden.tensor(entry, "z")) <= tolerance);
  CHECK(norm_error(y.value(), golden.tensor(entry, "y")) <= tolerance);
  CHECK(norm_error(x.grad(), golden.tensor(entry, "grad_x")) <= gradient_tolerance(name));
  check_gradients(golden, entry, list);
}

std::string round_trip(AutoencoderKL& model, const Tensor& x) {
  return bits_of(model.decode(model.encode(x).mode()).value());
}

}  // namespace

TEST_CASE("AutoencoderKL: names, order and shapes of the weights are diffusers'") {
  const Golden golden("vae");
  for (const Json& entry : golden.cases("vae")) {
    CAPTURE(entry.at("case").as_string());
    AutoencoderKL model(autoencoder_kl_options(entry.at("options")), Init::zeros());
    check_state(entry, model);
  }
}

TEST_CASE("AutoencoderKL: moments, pictures and gradients agree with diffusers, whole and in tiles") {
  const Golden golden("vae");
  REQUIRE(golden.cases("vae").size() == 12);
  for (const Json& entry : golden.cases("vae"))
    for (const bool checkpointing : {false, true}) check_case(golden, entry, checkpointing);
}

TEST_CASE("AutoencoderKL: the same bits for any number of threads, in a clone, and for a channels-last picture") {
  Generator generator(3);
  AutoencoderKL model(small(), generator);
  const Tensor x = random_tensor({2, 3, 15, 10}, 1, DType::f32);
  const int threads = num_threads();
  set_num_threads(1);
  const std::string one = round_trip(model, x);
  set_num_threads(3);
  CHECK(round_trip(model, x) == one);
  set_num_threads(threads);
  CHECK(round_trip(*clone(model), x) == one);
  CHECK(round_trip(model, channels_last(x)) == one);
  model.set_tiling(true);
  CHECK(round_trip(model, x) != one);
  model.set_tiling(false);
  CHECK(round_trip(model, x) == one);
}

TEST_CASE("AutoencoderKL: pictures of one channel, and latents of one pixel") {
  AutoencoderKLOptions options = small();
  options.in_channels = options.out_channels = options.latent_channels = 1;
  Generator generator(4);
  AutoencoderKL model(options, generator);
  const Variable x = Variable::leaf(random_tensor({2, 1, 2, 3}, 1, DType::f32));
  const DiagonalGaussian moments = model.encode(x);
  CHECK(moments.mean().shape() == Shape{2, 1, 1, 1});
  const Variable y = model.decode(moments.mode());
  CHECK(y.shape() == Shape{2, 1, 2, 2});
  backward(mse(y, zeros(y.shape())));
  CHECK(x.grad().defined());
}

TEST_CASE("AutoencoderKL: attention in the middle needs no memory for pairs of pixels") {
  AutoencoderKLOptions options = small();
  Generator generator(5);
  AutoencoderKL model(options, generator);
  const Tensor z = random_tensor({1, 4, 40, 40}, 1, DType::f32);
  const int64_t before = int64_t(allocator_statistics().allocated_bytes);
  reset_peak_memory();
  model.decode(z);
  const int64_t peak = int64_t(allocator_statistics().peak_allocated_bytes) - before;
  CHECK(peak < 1600 * 1600 * 4);  // the scores alone; the pictures of 80 x 80 pixels and 16 channels are 0.4 MiB each
}

TEST_CASE("AutoencoderKL: what a diffusion model sees of latents, and back") {
  AutoencoderKLOptions options = small();
  options.latent_channels = 2;
  options.scaling_factor = 0.5;
  const Tensor z = from_vector(std::vector<double>{1, 2, 3, 4}, {1, 2, 1, 2});
  auto both = [&](const AutoencoderKLOptions& o) {
    const AutoencoderKL model(o, Init::zeros());
    const Variable scaled = model.scaled(z);
    CHECK(worst_error(model.unscaled(scaled).value(), {1, 2, 3, 4}) < 1e-15);
    return scaled.value().to_vector<double>();
  };
  CHECK(both(options) == std::vector<double>{0.5, 1, 1.5, 2});
  options.shift_factor = 1.0;
  CHECK(both(options) == std::vector<double>{0, 0.5, 1, 1.5});
  options.shift_factor.reset();
  options.latents_mean = {1, 3};
  options.latents_std = {2, 0.25};
  CHECK(both(options) == std::vector<double>{0, 0.25, 0, 2});
}

TEST_CASE("AutoencoderKL: config.json in and out; only f16 is replaced by f32, and only with force_upcast") {
  const Json published =
      Json::parse(R"({"_class_name": "AutoencoderKL", "_diffusers_version": "0.6.0", "act_fn": "silu",
    "block_out_channels": [128, 256, 512, 512], "in_channels": 3, "latent_channels": 4, "layers_per_block": 2,
    "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"],
    "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"],
    "out_channels": 3, "sample_size": 512, "latents_mean": null, "shift_factor": 0.25})");
  AutoencoderKLOptions options = autoencoder_kl_options(published);
  options.check();
  CHECK(options.reduction() == 8);
  CHECK(options.scaling_factor == 0.18215);
  const Json written = config_of(options);
  CHECK(written.at("_class_name").as_string() == "AutoencoderKL");
  for (const JsonMember& member : published.as_object())
    if (member.key != "_diffusers_version") CHECK(written.at(member.key) == member.value);
  CHECK(config_of(autoencoder_kl_options(written)) == written);
  CHECK(options.dtype_for(DType::f16) == DType::f32);
  CHECK(options.dtype_for(DType::bf16) == DType::bf16);
  options.force_upcast = false;
  CHECK(options.dtype_for(DType::f16) == DType::f16);
}

TEST_CASE("AutoencoderKL: errors name the key, the tensor, or the shape") {
  auto refused = [](auto change) {
    AutoencoderKLOptions options = small();
    change(options);
    return message_of([&] { AutoencoderKL(options, Init::zeros()); });
  };
  CHECK(refused([](auto& o) { o.up_block_types[1] = "AttnUpDecoderBlock2D"; }) ==
        "AutoencoderKL: up_block_types must be \"UpDecoderBlock2D\" (\"AttnUpDecoderBlock2D\")");
  CHECK(refused([](auto& o) { o.down_block_types.pop_back(); }) ==
        "AutoencoderKL: down_block_types, up_block_types and block_out_channels must name as many levels (1, 2, 2)");
  CHECK(refused([](auto& o) { o.block_out_channels[1] = 6; }) ==
        "AutoencoderKL: block_out_channels must be multiples of norm_num_groups (6, 4 groups)");
  CHECK(refused([](auto& o) { o.latents_mean.emplace(4, 0.5); }) ==
        "AutoencoderKL: latents_mean and latents_std must be given together");
  CHECK(refused([](auto& o) { o.latents_mean.emplace(3, 0.5), o.latents_std.emplace(3, 0.5); }) ==
        "AutoencoderKL: latents_mean must have latent_channels values (3, 4)");
  CHECK(refused([](auto& o) { o.scaling_factor = 0; }) == "AutoencoderKL: scaling_factor must be finite and not 0 (0)");
  CHECK(message_of([] { autoencoder_kl_options(Json::parse(R"({"use_quant": true})")); }) ==
        "AutoencoderKL config: unknown key \"use_quant\"");
  CHECK(message_of([] {
          autoencoder_kl_options(Json::parse(R"({"sample_size": [32, 32]})"));
        }).starts_with("AutoencoderKL config: sample_size: "));

  AutoencoderKL model(small(), Init::zeros());
  CHECK(message_of([&] {
          model.encode(zeros({1, 3, 1, 8}));
        }) == "AutoencoderKL: pictures must be [N, 3, H, W] with H and W at least 2; f32[1, 3, 1, 8]");
  CHECK(message_of([&] {
          model.decode(zeros({1, 3, 4, 4}));
        }) == "AutoencoderKL: latents must be [N, 4, H, W]; f32[1, 3, 4, 4]");
  CHECK(message_of([&] { model.set_tiling({.sample_size = 2, .latent_size = 1}); }) ==
        "AutoencoderKL: tiles are too small to overlap; 2 pixels, 1 of latents, overlap 0.25");
}
