// The networks of Stable Diffusion on a device beside the CPU: outputs and gradients, in f32 and bf16.

#include <doctest/doctest.h>

#include <functional>

#include "autograd/backward.h"
#include "autograd/ops.h"
#include "engine/ops.h"
#include "nn/clip/clip_text_model.h"
#include "nn/clip/clip_vision_model.h"
#include "nn/unet/unet2d_condition_model.h"
#include "nn/vae/autoencoder_kl.h"
#include "nn/visitors.h"
#include "tests/support/numeric.h"

namespace plumb {
namespace {

constexpr Device kDevice{DeviceType::cuda, 0};

struct Pass {
  std::vector<double> output, gradients;
};

/// Where random inputs lie and of what type they are.
struct Place {
  Device device;
  DType dtype;
  Tensor random(const Shape& shape, uint64_t seed) const {
    return test::random_tensor(shape, seed, DType::f32).to(dtype).to(device);
  }
};

template <class Network>
Pass pass_of(Network& network, const Place& place, const std::function<Variable(Network&, const Place&)>& output) {
  to_device(network, place.device);
  to_dtype(network, place.dtype);
  const Variable y = output(network, place);
  backward(mean(square(y)));
  Pass pass{y.value().template to_vector<double>(), {}};
  for (const NamedParameter& named : parameters(network)) {
    const Tensor grad = named.parameter->grad();
    for (const double g : grad.defined() ? grad.to_vector<double>() : std::vector<double>{0})
      pass.gradients.push_back(g);
  }
  return pass;
}

/// make: a network with random weights, the same at each call.
template <class Network>
void check_device(const std::function<Network()>& make, const std::function<Variable(Network&, const Place&)>& output) {
  for (const DType dtype : {DType::f32, DType::bf16}) {
    CAPTURE(dtype);
    Network here = make(), there = make();
    const Pass wanted = pass_of<Network>(here, {kCpu, dtype}, output);
    const Pass got = pass_of<Network>(there, {kDevice, dtype}, output);
    CHECK(test::norm_error(got.output, wanted.output) <= (dtype == DType::f32 ? 1e-5 : 2e-2));
    CHECK(test::norm_error(got.gradients, wanted.gradients) <= (dtype == DType::f32 ? 1e-4 : 3e-2));
  }
}

UNet2DConditionOptions unet_options() {
  UNet2DConditionOptions o;
  o.down_block_types = {"DownBlock2D", "CrossAttnDownBlock2D"};
  o.up_block_types = {"CrossAttnUpBlock2D", "UpBlock2D"};
  o.block_out_channels = {8, 16};
  o.layers_per_block = 1;
  o.norm_num_groups = 4;
  o.cross_attention_dim = 8;
  o.attention_head_dim = 2;
  o.use_linear_projection = true;
  o.addition_embed_type = "text_time";
  o.addition_time_embed_dim = 4;
  o.projection_class_embeddings_input_dim = 6 * 4 + 5;
  return o;
}

}  // namespace

TEST_CASE("UNet2DConditionModel on a device: output and gradients are close to the CPU's") {
  check_device<UNet2DConditionModel>(
      [] {
        Generator generator(1);
        return UNet2DConditionModel(unet_options(), generator);
      },
      [](UNet2DConditionModel& unet, const Place& place) {
        const Tensor t = full({2}, 400, DType::f32, place.device);
        const Tensor ids = from_vector<float>({8, 8, 0, 1, 8, 8, 16, 8, 2, 0, 8, 4}, {2, 6}).to(place.device);
        return unet.forward(Variable(place.random({2, 4, 6, 9}, 1)), t,
                            {.encoder_hidden_states = Variable(place.random({2, 7, 8}, 2)),
                             .text_embeds = Variable(place.random({2, 5}, 3)),
                             .time_ids = ids});
      });
}

TEST_CASE("AutoencoderKL on a device: reconstruction and gradients are close to the CPU's") {
  AutoencoderKLOptions options;
  options.down_block_types = {"DownEncoderBlock2D", "DownEncoderBlock2D"};
  options.up_block_types = {"UpDecoderBlock2D", "UpDecoderBlock2D"};
  options.block_out_channels = {8, 16};
  options.norm_num_groups = 4;
  check_device<AutoencoderKL>(
      [&] {
        Generator generator(2);
        return AutoencoderKL(options, generator);
      },
      [](AutoencoderKL& vae, const Place& place) {
        const DiagonalGaussian latents = vae.encode(Variable(place.random({2, 3, 8, 12}, 1)));
        return vae.decode(latents.sample(place.random({2, 4, 4, 6}, 2)));
      });
}

TEST_CASE("CLIP on a device: embeddings of texts and pictures and their gradients are close to the CPU's") {
  ClipTextOptions text;
  text.vocab_size = 40;
  text.hidden_size = 16;
  text.intermediate_size = 32;
  text.num_attention_heads = 2;
  text.num_hidden_layers = 2;
  text.max_position_embeddings = 9;
  text.eos_token_id = 39;
  text.with_projection = true;
  text.projection_dim = 6;
  check_device<ClipTextModel>(
      [&] {
        Generator generator(3);
        return ClipTextModel(text, generator);
      },
      [](ClipTextModel& clip, const Place& place) {
        const Tensor ids = from_vector<int64_t>({38, 5, 39, 39, 39, 38, 1, 2, 17, 39}, {2, 5}).to(place.device);
        const ClipTextOutput out = clip.forward(ids);
        return add(out.text_embeds, mean(out.hidden_states[1]));
      });
  ClipVisionOptions vision;
  vision.hidden_size = 16;
  vision.intermediate_size = 32;
  vision.num_attention_heads = 2;
  vision.num_hidden_layers = 2;
  vision.image_size = 12;
  vision.patch_size = 4;
  vision.with_projection = true;
  vision.projection_dim = 6;
  check_device<ClipVisionModel>(
      [&] {
        Generator generator(4);
        return ClipVisionModel(vision, generator);
      },
      [](ClipVisionModel& clip, const Place& place) {
        return clip.forward(Variable(place.random({2, 3, 12, 12}, 1))).image_embeds;
      });
}

}  // namespace plumb
