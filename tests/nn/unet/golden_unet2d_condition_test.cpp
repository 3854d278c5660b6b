// Against diffusers (tests/golden/make_unet_condition_cases.py). Weights come from the seed, as there.

#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/ops/loss.h"
#include "nn/optim/adam.h"
#include "nn/unet/unet2d_condition_config.h"
#include "nn/unet/unet2d_condition_model.h"
#include "tests/nn/unet/golden_network.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// What a case gives its model, and what comes out of a training step.
struct Run {
  Variable x, y;
  UNet2DConditionInputs inputs;
};

Run train_step(UNet2DConditionModel& model, const Golden& golden, const Json& entry) {
  Run run;
  const UNet2DConditionOptions& options = model.options();
  run.x = Variable::leaf(golden.tensor(entry, "x"));
  if (options.context_features() > 0)
    run.inputs.encoder_hidden_states = Variable::leaf(golden.tensor(entry, "context"));
  if (options.has_classes()) run.inputs.class_labels = golden.tensor(entry, "labels");
  if (options.has_text_time()) {
    run.inputs.text_embeds = Variable::leaf(golden.tensor(entry, "pooled"));
    run.inputs.time_ids = golden.tensor(entry, "ids");
  }
  run.y = model.forward(run.x, golden.tensor(entry, "t"), run.inputs);
  backward(mse(run.y, golden.tensor(entry, "target")));
  return run;
}

/// A step of AdamW against the two numbers that the script kept of what each weight moves by. What Adam makes of a
/// gradient that is zero but for rounding (a bias in front of a normalisation) is a matter of luck: those are left out.
void check_update(const Golden& golden, const Json& entry, const ParameterList& list) {
  constexpr double kRate = 1e-3;
  std::vector<std::vector<double>> before;
  for (const NamedParameter& each : list) before.push_back(each.parameter->value().to_vector<double>());
  AdamW(list, {.learning_rate = kRate, .weight_decay = 1e-2}).step();
  const std::vector<double> moves = golden.tensor(entry, "moves").to_vector<double>();
  const std::vector<double> grads = golden.tensor(entry, "grads").to_vector<double>();
  REQUIRE(moves.size() == 2 * list.size());
  int compared = 0;
  for (size_t i = 0; i < list.size(); ++i) {
    if (grads[2 * i] < 1e-9) continue;
    CAPTURE(list[i].name);
    std::vector<double> moved = list[i].parameter->value().to_vector<double>();
    for (size_t k = 0; k < moved.size(); ++k) moved[k] = (moved[k] - before[i][k]) / kRate;
    CHECK(gradient_error(from_vector(moved, list[i].parameter->shape()), i, &moves[2 * i], 0) <= 1e-6);
    ++compared;
  }
  CHECK(compared >= int(list.size() * 3 / 4));
}

void check_case(const Golden& golden, const Json& entry, bool checkpointing) {
  const std::string name = entry.at("case").as_string();
  CAPTURE(name);
  CAPTURE(checkpointing);
  Generator generator(uint64_t(entry.at("seed").as_integer()));
  UNet2DConditionModel model(unet2d_condition_options(entry.at("options")), generator);
  model.set_gradient_checkpointing(checkpointing);
  if (name.ends_with("f64")) to_dtype(model, DType::f64);
  perturb(model);
  const ParameterList list = parameters(model);
  CHECK(count(list) == entry.at("parameters").as_integer());

  const Run run = train_step(model, golden, entry);
  CHECK(run.y.value().is_contiguous());
  CHECK(norm_error(run.y.value(), golden.tensor(entry, "y")) <= output_tolerance(name));
  auto check_input = [&](const char* which, const Variable& input) {
    if (!input.defined()) return;
    CAPTURE(which);
    CHECK(norm_error(input.grad(), golden.tensor(entry, which)) <= gradient_tolerance(name));
  };
  check_input("grad_x", run.x);
  check_input("grad_context", run.inputs.encoder_hidden_states);
  check_input("grad_pooled", run.inputs.text_embeds);
  check_gradients(golden, entry, list);
  if (name.ends_with("f64")) check_update(golden, entry, list);
}

}  // namespace

TEST_CASE("UNet2DConditionModel: configuration, names, order and shapes of the weights are diffusers'") {
  const Golden golden("unet_condition");
  for (const Json& entry : golden.cases("unet2d_condition")) {
    CAPTURE(entry.at("case").as_string());
    const UNet2DConditionOptions options = unet2d_condition_options(entry.at("options"));
    UNet2DConditionModel model(options, Init::zeros());
    check_state(entry, model);
    if (entry.at("config").is_null()) continue;
    const Json written = config_of(options);
    CHECK(config_of(unet2d_condition_options(entry.at("config"))) == written);
    for (const JsonMember& member : written.as_object()) CHECK(entry.at("config").find(member.key) != nullptr);
  }
}

TEST_CASE("UNet2DConditionModel: output, gradients and weights of a training step agree with diffusers") {
  const Golden golden("unet_condition");
  REQUIRE(golden.cases("unet2d_condition").size() == 20);
  for (const Json& entry : golden.cases("unet2d_condition"))
    for (const bool checkpointing : {false, true}) check_case(golden, entry, checkpointing);
}
