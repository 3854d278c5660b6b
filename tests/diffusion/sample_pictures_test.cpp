// Whole pictures: the same alone and together, from noise and from a picture; noise as torch draws it.

#include "diffusion/sampler/sample_pictures.h"

#include <doctest/doctest.h>

#include "diffusion/unet_denoiser.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "nn/visitors.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

struct Setup {
  Generator generator{7};
  UNetDenoiser model{{.sample_size = Size2d{8, 8},
                      .in_channels = 2,
                      .out_channels = 2,
                      .down_block_types = {"DownBlock2D"},
                      .up_block_types = {"UpBlock2D"},
                      .block_out_channels = {8},
                      .layers_per_block = 1,
                      .norm_num_groups = 4,
                      .add_attention = false,
                      .num_class_embeds = 3},
                     generator};
  PictureSamplerOptions options{
      .scheduler = scheduler_config(Json::parse(R"({"_class_name": "EulerAncestralDiscreteScheduler"})")),
      .steps = 4,
      .guidance = {.scale = 2, .rescale = 0.5}};

  Tensor run(std::vector<uint64_t> seeds, std::vector<int64_t> labels, PictureRng rng = PictureRng::plumb,
             Tensor init = {}, double strength = 0.5) {
    const int64_t n = int64_t(seeds.size());
    PictureNoise noise(rng, std::move(seeds));
    PictureStart start{.condition = {.labels = from_vector<int64_t>(labels, {n})},
                       .negative = {.labels = zeros({n}, DType::i64)},
                       .shape = {2, 8, 6},
                       .init = init,
                       .strength = strength};
    return sample_pictures(model, start, noise, options);
  }
};

}  // namespace

TEST_CASE("picture noise: as torch draws it, one generator a picture") {
  PictureNoise noise(PictureRng::torch, {42, 0});
  const Tensor first = noise.next({4, 64, 64});
  CHECK(first.shape() == Shape{2, 4, 64, 64});
  const std::vector<float> values = flatten(first).to_vector<float>();
  const float expected[] = {1.92691529f, 1.48728406f, 0.90071720f, -2.10552096f};  // torch, seed 42
  for (size_t i = 0; i < 4; ++i) CHECK(values[i] == doctest::Approx(expected[i]).epsilon(1e-6));
  CHECK(values[4 * 64 * 64] == doctest::Approx(-1.12583983f).epsilon(1e-6));  // torch, seed 0
  const Tensor second = noise.next({4, 64, 64});
  CHECK(max(abs(first - second)).item() > 1);
}

TEST_CASE("sample pictures: a picture depends on its seed and condition alone") {
  Setup s;
  for (const PictureRng rng : {PictureRng::plumb, PictureRng::torch}) {
    const Tensor together = s.run({5, 6, 7}, {1, 2, 0}, rng);
    CHECK(together.shape() == Shape{3, 2, 8, 6});
    const Tensor alone = s.run({6}, {2}, rng);
    // Products of another height round otherwise; the first sigma is 157, and what it rounds stays.
    CHECK(worst_error(slice(together, 0, 1, 2), alone.to_vector<double>()) <= 2e-4);
    CHECK(bits_of(alone) == bits_of(s.run({6}, {2}, rng)));
    CHECK(max(abs(alone - s.run({7}, {2}, rng))).item() > 0.1);
  }
}

TEST_CASE("sample pictures: from a picture, as far as the strength says") {
  Setup s;
  const Tensor init = randn(RandomKey{.seed = 9}, {1, 2, 8, 6});
  int64_t seen = 0;
  PictureNoise noise(PictureRng::plumb, {3});
  PictureStart start{.condition = {.labels = zeros({1}, DType::i64)},
                     .negative = {.labels = ones({1}, DType::i64)},
                     .shape = {2, 8, 6},
                     .init = init,
                     .strength = 0.8};
  CHECK(picture_calls(s.options, start) == 3);
  sample_pictures(s.model, start, noise, s.options, [&](const PictureStep& step) {
    CHECK(step.done == ++seen);
    CHECK(step.calls == 3);
  });
  CHECK(seen == 3);
  start.strength = 0.2;
  CHECK_THROWS_WITH_AS(picture_calls(s.options, start), doctest::Contains("strength 0.2 of 4 steps"), ValueError);
  start.strength = 1.5;
  CHECK_THROWS_AS(picture_calls(s.options, start), ValueError);
  start.strength = 1;
  start.shape = {2, 8, 8};
  CHECK_THROWS_AS(sample_pictures(s.model, start, noise, s.options), ShapeError);
  s.options.scheduler = scheduler_config(Json::parse(R"({"_class_name": "HeunDiscreteScheduler"})"));
  start.shape = {2, 8, 6}, start.strength = 0.5;
  CHECK(picture_calls(s.options, start) == 3);  // two steps of two calls, the last of one
  s.options.scheduler = scheduler_config(Json::parse(R"({"_class_name": "PNDMScheduler"})"));
  CHECK_THROWS_WITH_AS(picture_calls(s.options, start), doctest::Contains("skip_prk_steps"), ValueError);
}
