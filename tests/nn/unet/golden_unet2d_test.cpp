// Against diffusers (tests/golden/make_unet_cases.py). Weights come from the seed, as there.

#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/ops/loss.h"
#include "nn/unet/unet2d_config.h"
#include "nn/unet/unet2d_model.h"
#include "tests/nn/unet/golden_network.h"

using namespace plumb;
using namespace plumb::test;

namespace {

struct Run {
  Variable y;
  Tensor grad_x;
};

Run train_step(UNet2DModel& model, const Golden& golden, const Json& entry) {
  const Variable x = Variable::leaf(golden.tensor(entry, "x"));
  UNet2DInputs inputs;
  if (model.options().has_classes()) inputs.class_labels = golden.tensor(entry, "labels");
  Variable y = model.forward(x, golden.tensor(entry, "t"), inputs);
  backward(mse(y, golden.tensor(entry, "target")));
  return {y, x.grad()};
}

void check_case(const Golden& golden, const Json& entry, bool checkpointing) {
  const std::string name = entry.at("case").as_string();
  CAPTURE(name);
  CAPTURE(checkpointing);
  Generator generator(uint64_t(entry.at("seed").as_integer()));
  UNet2DModel model(unet2d_options(entry.at("options")), generator);
  model.set_gradient_checkpointing(checkpointing);
  if (name.ends_with("f64")) to_dtype(model, DType::f64);
  perturb(model);
  const ParameterList list = parameters(model);
  CHECK(count(list) == entry.at("parameters").as_integer());

  const Run run = train_step(model, golden, entry);
  CHECK(run.y.value().is_contiguous());
  CHECK(norm_error(run.y.value(), golden.tensor(entry, "y")) <= output_tolerance(name));
  CHECK(norm_error(run.grad_x, golden.tensor(entry, "grad_x")) <= gradient_tolerance(name));
  check_gradients(golden, entry, list);
}

}  // namespace

TEST_CASE("UNet2DModel: names, order and shapes of the weights are diffusers'") {
  const Golden golden("unet");
  for (const Json& entry : golden.cases("unet2d")) {
    CAPTURE(entry.at("case").as_string());
    UNet2DModel model(unet2d_options(entry.at("options")), Init::zeros());
    check_state(entry, model);
  }
}

TEST_CASE("UNet2DModel: output and gradients of a training step agree with diffusers") {
  const Golden golden("unet");
  REQUIRE(golden.cases("unet2d").size() == 12);
  for (const Json& entry : golden.cases("unet2d"))
    for (const bool checkpointing : {false, true}) check_case(golden, entry, checkpointing);
}
