// Against transformers (tests/golden/make_clip_cases.py).

#include "nn/clip/clip_vision_model.h"

#include "autograd/backward.h"
#include "autograd/ops/elementwise.h"
#include "autograd/ops/loss.h"
#include "tests/nn/clip/golden_clip.h"

using namespace plumb;
using namespace plumb::test;

namespace {

Variable output_named(const ClipVisionOutput& out, const std::string& name) {
  if (name == "last") return out.last_hidden_state;
  if (name == "penultimate") return out.hidden_states[out.hidden_states.size() - 2];
  return name == "pooled" ? out.pooled : out.image_embeds;
}

void check_case(const Golden& golden, const Json& entry, bool checkpointing) {
  const std::string name = entry.at("case").as_string();
  CAPTURE(name);
  CAPTURE(checkpointing);
  ClipVisionModel model(clip_vision_options(entry.at("options")), Init::zeros());
  if (name.ends_with("f64")) to_dtype(model, DType::f64);
  fill(model, uint64_t(entry.at("seed").as_integer()));
  model.set_gradient_checkpointing(checkpointing);
  check_state(entry, model);

  const Variable x = Variable::leaf(golden.tensor(entry, "x"));
  const ClipVisionOutput out = model.forward(x);
  CHECK(out.image_embeds.defined() == model.options().with_projection);
  CHECK(norm_error(out.hidden_states[0].value(), golden.tensor(entry, "first")) <= output_tolerance(name));
  Variable loss = zeros({}, model.dtype());
  for (const Json& target : entry.at("targets").as_array()) {
    const std::string what = target.as_string();
    CAPTURE(what);
    const Variable output = output_named(out, what);
    CHECK(norm_error(output.value(), golden.tensor(entry, what)) <= output_tolerance(name));
    loss = add(loss, mse(output, golden.tensor(entry, "target." + what)));
  }
  backward(loss);
  CHECK(norm_error(x.grad(), golden.tensor(entry, "grad_x")) <= gradient_tolerance(name));
  check_gradients(golden, entry, parameters(model));
}

}  // namespace

TEST_CASE("ClipVisionModel: names, outputs and gradients agree with transformers") {
  const Golden golden("clip");
  const std::vector<Json> cases = golden.cases("vision");
  REQUIRE(cases.size() == 4);
  for (const Json& entry : cases)
    for (const bool checkpointing : {false, true}) check_case(golden, entry, checkpointing);
}

TEST_CASE("ClipVisionModel: config.json in and out, a whole CLIPModel's part, and what is refused") {
  const ClipVisionOptions options = clip_vision_options(Json::parse(R"({"projection_dim": 9, "text_config": {},
    "vision_config": {"bos_token_id": null, "image_size": 28, "patch_size": 14, "hidden_size": 24, "num_attention_heads": 2}})"));
  CHECK(options.with_projection);
  CHECK(options.projection_dim == 9);
  const Json written = config_of(options);
  CHECK(written.at("architectures")[0].as_string() == "CLIPVisionModelWithProjection");
  CHECK(config_of(clip_vision_options(written)) == written);
  auto read = [](const char* text) { return message_of([&] { clip_vision_options(Json::parse(text)).check(); }); };
  CHECK(read(R"({"patch_size": 300})") == "CLIPVisionModel: image_size must be at least patch_size (224, 300)");
  CHECK(read(R"({"vocab_size": 3})") == "CLIPVisionModel config: unknown key \"vocab_size\"");
  ClipVisionModel model(options, Init::zeros());
  CHECK(message_of([&] {
          model.forward(zeros({1, 3, 28, 14}));
        }) == "CLIPVisionModel: pixels must be [N, 3, 28, 28]; f32[1, 3, 28, 14]");
}
