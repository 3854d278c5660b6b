#include "diffusion/text_denoiser.h"

#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/ops.h"
#include "diffusion/pipeline/pipeline_text.h"
#include "nn/state_dict.h"
#include "tests/diffusion/pipeline/tiny_pipeline.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// A small model with a step's inputs, in f64.
struct Case {
  Pipeline pipeline = tiny_pipeline("TextToPixelsPipeline");
  Tensor tokens = from_vector<int64_t>({28, 1, 3, 29, 29, 28, 5, 2, 4, 29}, {2, 5});
  Variable x{random_tensor({2, 3, 8, 8}, 1, DType::f64)}, weights{random_tensor({2, 3, 8, 8}, 2, DType::f64)};
  Tensor t = from_vector<float>({7, 400}, {2});

  Case() {
    for (const PipelineModule& each : modules_of(pipeline)) to_dtype(*each.module, DType::f64);
  }
  TextDenoiser joint() const { return TextDenoiser(*pipeline.unet, *pipeline.text_encoder); }
  Variable loss(TextDenoiser& joint) const { return sum(joint.predict(x, t, {.tokens = tokens}) * weights); }
};

}  // namespace

TEST_CASE("TextDenoiser: predicts what the network predicts of the encoded tokens") {
  const Case c;
  TextDenoiser joint = c.joint();
  const Tensor context = c.pipeline.text_encoder->forward(c.tokens).last_hidden_state.value();
  const Tensor expected = c.pipeline.unet->predict(c.x, c.t, {.context = context}).value();
  CHECK(bits_of(joint.predict(c.x, c.t, {.tokens = c.tokens}).value()) == bits_of(expected));
  const Condition row = Condition{.tokens = c.tokens}.rows(1, 2);
  CHECK(bits_of(row.tokens) == bits_of(slice(c.tokens, 0, 1, 2)));
  CHECK(Condition::cat(row, row).tokens.size(0) == 2);
}

TEST_CASE("TextDenoiser: gradients of encoder and network are the differences of the loss") {
  const Case c;
  TextDenoiser joint = c.joint();
  backward(c.loss(joint));
  int64_t of_text = 0;
  for (const NamedParameter& each : parameters(joint)) {
    CAPTURE(each.name);
    REQUIRE(each.parameter->grad().defined());
    const Tensor at = each.parameter->value().clone(), way = random_tensor(at.shape(), 9, DType::f64);
    const double slope = sum(each.parameter->grad().to(DType::f64) * way).item();
    constexpr double kStep = 1e-5;
    each.parameter->assign(at + kStep * way);
    const double above = c.loss(joint).value().item();
    each.parameter->assign(at - kStep * way);
    const double below = c.loss(joint).value().item();
    each.parameter->assign(at);
    const double difference = (above - below) / (2 * kStep);
    CHECK(std::abs(slope - difference) <= 1e-5 * (1 + std::abs(difference)));
    of_text += each.name.starts_with("text_encoder.text_model.") && std::abs(slope) > 1e-3;
  }
  CHECK(of_text > 20);
}

TEST_CASE("TextDenoiser: weights have names, and a clone has its own") {
  const Case c;
  TextDenoiser joint = c.joint();
  const int64_t both = count(parameters(*c.pipeline.unet)) + count(parameters(*c.pipeline.text_encoder));
  CHECK(count(parameters(joint)) == both);
  const auto copy = clone(joint);
  const Tensor before = joint.predict(c.x, c.t, {.tokens = c.tokens}).value();
  CHECK(bits_of(copy->predict(c.x, c.t, {.tokens = c.tokens}).value()) == bits_of(before));
  for (const NamedParameter& each : parameters(*copy)) each.parameter->assign(0.5 * each.parameter->value());
  CHECK(bits_of(joint.predict(c.x, c.t, {.tokens = c.tokens}).value()) == bits_of(before));
}

TEST_CASE("TextDenoiser: refuses what does not fit") {
  const Case c;
  const Pipeline pixels = tiny_pipeline("DDPMPipeline");
  CHECK_THROWS_WITH_AS(TextDenoiser(*pixels.unet, *c.pipeline.text_encoder),
                       "text denoiser: the network must take the encoder's features (0, 64)", ValueError);
  TextDenoiser joint = c.joint();
  CHECK_THROWS_WITH_AS(joint.predict(c.x, c.t, {}), "text denoiser: the condition must have tokens", ValueError);
  CHECK_THROWS_WITH_AS(pixels.unet->predict_in_context(c.x, c.t, {}, c.x),
                       "denoiser: this network looks at no text (UNet2DModel)", ValueError);
}
