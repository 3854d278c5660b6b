#include "nn/unet/transformer2d.h"

#include "autograd/backward.h"
#include "autograd/ops/layout.h"
#include "autograd/ops/loss.h"
#include "tests/nn/unet/golden_network.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

int64_t number(const Json& options, const char* key) {
  const Json* value = options.find(key);
  return value ? value->as_integer() : 0;
}
bool flag(const Json& options, const char* key) {
  const Json* value = options.find(key);
  return value && value->as_bool();
}

Transformer2DOptions options_of(const Json& o) {
  return {.in_channels = number(o, "in_channels"),
          .heads = number(o, "num_attention_heads"),
          .head_features = number(o, "attention_head_dim"),
          .layers = number(o, "num_layers"),
          .context_features = number(o, "cross_attention_dim"),
          .use_linear_projection = flag(o, "use_linear_projection"),
          .norm_num_groups = number(o, "norm_num_groups"),
          .attention_bias = flag(o, "attention_bias")};
}

void check_case(const Golden& golden, const Json& entry, bool checkpointing) {
  const std::string name = entry.at("case").as_string();
  CAPTURE(name);
  CAPTURE(checkpointing);
  Generator generator(uint64_t(entry.at("seed").as_integer()));
  const Transformer2DOptions options = options_of(entry.at("options"));
  Transformer2D model(options, generator);
  if (name.ends_with("f64")) to_dtype(model, DType::f64);
  perturb(model);
  check_state(entry, model);

  const Variable x = Variable::leaf(golden.tensor(entry, "x"));
  BlockInputs inputs{.temb = {}, .checkpoint = checkpointing};
  if (options.context_features > 0) inputs.context = Variable::leaf(golden.tensor(entry, "context"));
  const Variable y = model.forward(to_channels_last(x), inputs);
  CHECK(y.value().is_channels_last());
  backward(mse(contiguous(y), golden.tensor(entry, "target")));
  CHECK(norm_error(y.value(), golden.tensor(entry, "y")) <= output_tolerance(name));
  CHECK(norm_error(x.grad(), golden.tensor(entry, "grad_x")) <= gradient_tolerance(name));
  if (inputs.context.defined())
    CHECK(norm_error(inputs.context.grad(), golden.tensor(entry, "grad_context")) <= gradient_tolerance(name));
  check_gradients(golden, entry, parameters(model));
}

}  // namespace

TEST_CASE("Transformer2D: names, output and gradients agree with diffusers, with and without checkpointing") {
  const Golden golden("unet");
  const std::vector<Json> cases = golden.cases("transformer2d");
  REQUIRE(cases.size() == 6);
  for (const Json& entry : cases)
    for (const bool checkpointing : {false, true}) check_case(golden, entry, checkpointing);
}

TEST_CASE(
    "Transformer2D: dropout follows its key; a context where there is no cross attention, and none, are refused") {
  Generator generator(1);
  Transformer2DOptions options{
      .in_channels = 8, .heads = 2, .head_features = 4, .layers = 2, .context_features = 3, .norm_num_groups = 4};
  options.dropout = 0.5;
  Transformer2D model(options, generator);
  const Tensor x = channels_last(random_tensor({2, 8, 3, 4}, 1, DType::f32)),
               context = random_tensor({2, 5, 3}, 2, DType::f32);
  auto run = [&](std::optional<RandomKey> key, bool checkpointing) {
    return bits_of(
        model.forward(x, {.temb = {}, .context = context, .dropout = key, .checkpoint = checkpointing}).value());
  };
  const RandomKey key{.seed = 3};
  CHECK(run(key, false) == run(key, false));
  CHECK(run(key, false) == run(key, true));
  CHECK(run(key, false) != run({}, false));
  CHECK(run(key, false) != run(key.at_step(1), false));

  CHECK(message_of([&] { model.forward(x, {.temb = {}}); }) ==
        "transformer block: cross attention needs the tokens of a context");
  options.context_features = 0;
  Transformer2D alone(options, generator);
  CHECK(message_of([&] { alone.forward(x, {.temb = {}, .context = context}); }) ==
        "transformer block: a context was given to a block without cross attention");
  options.layers = 0;
  CHECK(message_of([&] {
          Transformer2D(options, generator);
        }).starts_with("Transformer2D: in_channels, heads, head_features and layers must be at least 1"));
}
