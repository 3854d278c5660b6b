// Against transformers (tests/golden/make_clip_cases.py).

#include "nn/clip/clip_text_model.h"

#include "autograd/backward.h"
#include "autograd/ops/elementwise.h"
#include "autograd/ops/loss.h"
#include "engine/parallel.h"
#include "tests/nn/clip/golden_clip.h"
#include "tests/nn/pretrained/manifest.h"

using namespace plumb;
using namespace plumb::test;

namespace {

ClipTextOptions small() {
  return clip_text_options(Json::parse(R"({"vocab_size": 30, "hidden_size": 8, "intermediate_size": 12,
    "num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 6, "projection_dim": 5,
    "eos_token_id": 29, "architectures": ["CLIPTextModelWithProjection"]})"));
}

Tensor ids_of(std::vector<int64_t> ids, const Shape& shape) { return from_vector(ids, shape); }

Variable output_named(const ClipTextOutput& out, const std::string& name) {
  if (name == "last") return out.last_hidden_state;
  if (name == "penultimate") return out.hidden_states[out.hidden_states.size() - 2];
  return name == "pooled" ? out.pooled : out.text_embeds;
}

void check_case(const Golden& golden, const Json& entry, bool checkpointing) {
  const std::string name = entry.at("case").as_string();
  CAPTURE(name);
  CAPTURE(checkpointing);
  ClipTextModel model(clip_text_options(entry.at("options")), Init::zeros());
  if (name.ends_with("f64")) to_dtype(model, DType::f64);
  fill(model, uint64_t(entry.at("seed").as_integer()));
  model.set_gradient_checkpointing(checkpointing);
  check_state(entry, model);

  const ClipTextOutput out = model.forward(golden.tensor(entry, "ids"));
  CHECK(out.text_embeds.defined() == model.options().with_projection);
  CHECK(int64_t(out.hidden_states.size()) == model.options().num_hidden_layers + 1);
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
  check_gradients(golden, entry, parameters(model));
}

}  // namespace

TEST_CASE("ClipTextModel: names, hidden states, pooled and projected outputs and gradients agree with transformers") {
  const Golden golden("clip");
  const std::vector<Json> cases = golden.cases("text");
  REQUIRE(cases.size() == 10);
  for (const Json& entry : cases)
    for (const bool checkpointing : {false, true}) check_case(golden, entry, checkpointing);
}

TEST_CASE("manifests: the text encoders of Stable Diffusion and SDXL have every published name and shape") {
  struct Published {
    const char* manifest;
    ClipTextOptions options;
    int64_t total;
  };
  const ClipTextOptions clip_l{.hidden_size = 768, .intermediate_size = 3072, .num_attention_heads = 12};
  const ClipTextOptions clip_h{
      .hidden_size = 1024, .intermediate_size = 4096, .num_hidden_layers = 23, .num_attention_heads = 16};
  const ClipTextOptions clip_bigg{.hidden_size = 1280,
                                  .intermediate_size = 5120,
                                  .projection_dim = 1280,
                                  .num_hidden_layers = 32,
                                  .num_attention_heads = 20,
                                  .with_projection = true};
  for (const auto& [name, options, total] : {Published{"clip_l", clip_l, 123'060'480},
                                             {"clip_h", clip_h, 340'387'840},
                                             {"clip_bigg", clip_bigg, 694'659'840}}) {
    CAPTURE(name);
    ClipTextModel model(options, Init::shapes());
    const LoadReport report = compare_names(model, read_manifest(name));
    CHECK(report.missing == std::vector<std::string>());
    CHECK(report.extra == std::vector<std::string>());
    CHECK(report.misshaped == std::vector<std::string>());
    CHECK(count(parameters(model)) == total);
  }
}

TEST_CASE("ClipTextModel: a text ends at its first end, or where the old files' rule says") {
  ClipTextOptions options = small();
  for (const int64_t end : {29, 2}) {
    CAPTURE(end);
    options.eos_token_id = end;
    ClipTextModel model(options, Init::zeros());
    fill(model, 3);
    const ClipTextOutput out = model.forward(ids_of({1, 29, 5, 29, 1, 7, 2, 9, 3, 4}, {2, 5}));
    const std::vector<float> last = out.last_hidden_state.value().to_vector<float>();
    const std::vector<float> pooled = out.pooled.value().to_vector<float>();
    // Where nothing ends, the first token is taken; by the old rule the largest, 9.
    const size_t second = end == 2 ? 5 + 2 : 5;
    CHECK(std::equal(pooled.begin(), pooled.begin() + 8, last.begin() + 1 * 8));
    CHECK(std::equal(pooled.begin() + 8, pooled.end(), last.begin() + int64_t(second) * 8));
  }
}

TEST_CASE("ClipTextModel: the same bits for any number of threads, in a clone, and whatever follows a token") {
  ClipTextModel model(small(), Init::zeros());
  fill(model, 4);
  const Tensor ids = ids_of({1, 2, 3, 29, 5, 6, 7, 29}, {2, 4});
  auto bits = [&](ClipTextModel& each) { return bits_of(each.forward(ids).text_embeds.value()); };
  const int threads = num_threads();
  set_num_threads(1);
  const std::string one = bits(model);
  set_num_threads(3);
  CHECK(bits(model) == one);
  set_num_threads(threads);
  CHECK(bits(*clone(model)) == one);
  const Tensor a = model.forward(ids_of({1, 2, 3, 4}, {1, 4})).last_hidden_state.value();
  const Tensor b = model.forward(ids_of({1, 2, 8, 9}, {1, 4})).last_hidden_state.value();
  const std::vector<double> before = a.to_vector<double>(), after = b.to_vector<double>();
  for (size_t i = 0; i < 16; ++i) CHECK(std::abs(before[i] - after[i]) < 1e-6);
  CHECK(std::abs(before[16] - after[16]) > 1e-3);
}

TEST_CASE("ClipTextOptions: published config.json files, whole CLIPModels, and what is refused") {
  const ClipTextOptions old = clip_text_options(Json::parse(R"({"_name_or_path": "openai/clip-vit-large-patch14",
    "architectures": ["CLIPTextModel"], "attention_dropout": 0.0, "bos_token_id": 0, "dropout": 0.0, "eos_token_id": 2,
    "hidden_act": "quick_gelu", "hidden_size": 768, "initializer_factor": 1.0, "initializer_range": 0.02,
    "intermediate_size": 3072, "layer_norm_eps": 1e-05, "max_position_embeddings": 77, "model_type": "clip_text_model",
    "num_attention_heads": 12, "num_hidden_layers": 12, "pad_token_id": 1, "projection_dim": 768,
    "torch_dtype": "float32", "transformers_version": "4.21.0.dev0", "vocab_size": 49408})"));
  old.check();
  CHECK(old.eos_token_id == 2);
  CHECK_FALSE(old.with_projection);
  const Json written = config_of(old);
  CHECK(written.at("architectures")[0].as_string() == "CLIPTextModel");
  CHECK(written.at("model_type").as_string() == "clip_text_model");
  CHECK(config_of(clip_text_options(written)) == written);
  CHECK(written.at("initializer_factor").dump() == "1.0");

  const ClipTextOptions part = clip_text_options(Json::parse(R"({"architectures": ["CLIPModel"], "projection_dim": 7,
    "logit_scale_init_value": 2.6, "text_config": {"hidden_size": 24, "top_k": 50, "id2label": {"0": "a"}},
    "vision_config": {"image_size": 32}})"));
  CHECK(part.with_projection);
  CHECK(part.projection_dim == 7);
  CHECK(part.hidden_size == 24);

  const ClipTextOptions old_part = clip_text_options(Json::parse(R"({"text_config": {"hidden_size": 24},
    "text_config_dict": {"hidden_size": 48, "projection_dim": 3}, "vision_config_dict": null})"));
  CHECK(old_part.hidden_size == 48);
  CHECK(old_part.projection_dim == 3);

  auto read = [](const char* text) { return message_of([&] { clip_text_options(Json::parse(text)).check(); }); };
  CHECK(read(R"({"hidden_sizes": 4})") == "CLIPTextModel config: unknown key \"hidden_sizes\"");
  CHECK(read(R"({"attention_dropout": 0.1})") ==
        "CLIPTextModel config: attention_dropout is not supported unless it is 0 (0.1)");
  CHECK(read(R"({"use_attention_mask": true})") ==
        "CLIPTextModel config: use_attention_mask is not supported unless it is false (true)");
  CHECK(read(R"({"hidden_act": "relu"})") == "CLIPTextModel: hidden_act must be \"quick_gelu\" or \"gelu\" (\"relu\")");
  CHECK(read(R"({"num_attention_heads": 7})") ==
        "CLIPTextModel: hidden_size must be a multiple of num_attention_heads (512, 7 heads)");
  CHECK(read(R"({"eos_token_id": null})") == "CLIPTextModel: eos_token_id must be set");
  CHECK(read(R"({"text_config": {}, "scale": 1})") == "CLIPModel config: unknown key \"scale\"");
  CHECK(read(R"({"vision_config": {}})") == "CLIPTextModel config: text_config is missing");
}

TEST_CASE("ClipTextModel: ids that do not fit are refused") {
  ClipTextModel model(small(), Init::zeros());
  CHECK(message_of([&] {
          model.forward(zeros({1, 7}, DType::i64));
        }) == "CLIPTextModel: ids must be [N, T] with T from 1 to max_position_embeddings (6); i64[1, 7]");
  CHECK(message_of([&] { model.forward(zeros({1, 3})); }) == "CLIPTextModel: ids must be i64; f32[1, 3]");
  CHECK(message_of([&] { model.forward(ids_of({1, 30}, {1, 2})); }).find("30") != std::string::npos);
}
