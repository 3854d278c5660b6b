#include "diffusion/eval/feature_network.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "engine/io/file.h"
#include "engine/ops.h"
#include "nn/classifier/picture_classifier.h"
#include "nn/clip/clip_vision_model.h"
#include "nn/state_file.h"
#include "tests/support/numeric.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using namespace plumb::test;

namespace {

PictureClassifierOptions small_classifier() {
  PictureClassifierOptions o{.image_size = 9, .block_out_channels = {8}, .feature_dim = 6};
  o.heads = {{"shape", {"circle", "square"}}, {"objects", {"1", "2", "3"}}};
  return o;
}

ClipVisionOptions small_clip(bool with_projection) {
  return {.hidden_size = 12,
          .intermediate_size = 20,
          .projection_dim = 5,
          .num_hidden_layers = 2,
          .num_attention_heads = 2,
          .image_size = 14,
          .patch_size = 4,
          .with_projection = with_projection};
}

void write_folder(const TempDir& folder, const Json& config, const StateDict& weights) {
  write_file_atomic(folder / "config.json", config.dump());
  save_state(folder / "model.safetensors", weights);
}

}  // namespace

TEST_CASE("feature network: a folder of our classifier gives its features, logits and heads") {
  const TempDir folder;
  Generator generator(5);
  PictureClassifier model(small_classifier(), generator);
  write_folder(folder, config_of(model.options()), state_dict(model));
  const auto network = load_feature_network(folder.path());
  CHECK(network->space().network == "PictureClassifier");
  CHECK(network->space().output == "features");
  CHECK(network->space().dimensions == 6);
  CHECK(network->space().weights_sha256.size() == 64);
  CHECK(network->transform().resolution == 9);
  CHECK(network->heads() == model.options().heads);
  const Tensor pixels = random_tensor({3, 3, 9, 9}, 2, DType::f32);
  const ClassifierOutput expected = model.forward(Variable(pixels));
  const NetworkOutput got = network->forward(pixels);
  CHECK(bits_of(got.features) == bits_of(expected.features.value()));
  CHECK(bits_of(got.logits) == bits_of(expected.logits.value()));
}

TEST_CASE("feature network: CLIP's picture encoder, alone and in a whole model, with its normalisation") {
  const Tensor pixels = random_tensor({2, 3, 14, 14}, 3, DType::f32);
  const auto values = [](std::vector<double> three) { return from_vector(three, {1, 3, 1, 1}).to(DType::f32); };
  for (const bool projects : {false, true}) {
    CAPTURE(projects);
    const TempDir folder;
    Generator generator(6);
    ClipVisionModel model(small_clip(projects), generator);
    write_folder(folder, config_of(model.options()), state_dict(model));
    auto network = load_feature_network(folder.path());
    CHECK(network->space().dimensions == (projects ? 5 : 12));
    CHECK(network->space().output == (projects ? "image_embeds" : "pooled"));
    CHECK(network->heads().empty());
    const auto expect = [&](const Tensor& mean, const Tensor& deviation) {
      const ClipVisionOutput out = model.forward(Variable(((pixels + 1) * 0.5 - mean) / deviation));
      return bits_of((projects ? out.image_embeds : out.pooled).value());
    };
    CHECK(bits_of(network->forward(pixels).features) ==
          expect(values({0.48145466, 0.4578275, 0.40821073}), values({0.26862954, 0.26130258, 0.27577711})));
    CHECK_FALSE(network->forward(pixels).logits.defined());
    write_file_atomic(folder / "preprocessor_config.json", R"({"image_mean": [0, 0.5, 1], "image_std": [1, 2, 4]})");
    network = load_feature_network(folder.path());
    CHECK(bits_of(network->forward(pixels).features) == expect(values({0, 0.5, 1}), values({1, 2, 4})));
    if (!projects) continue;
    Json whole = Json::object().set("model_type", "clip").set("projection_dim", 5);
    Json part = config_of(model.options());
    part.erase("architectures");
    part.erase("model_type");
    whole.set("architectures", Json(Json::Array{"CLIPModel"})).set("vision_config", std::move(part));
    StateDict weights = state_dict(model);
    weights.push_back({"text_model.final_layer_norm.weight", ones({3})});
    weights.push_back({"logit_scale", ones({1})});
    write_folder(folder, whole, weights);
    network = load_feature_network(folder.path());
    CHECK(bits_of(network->forward(pixels).features) == expect(values({0, 0.5, 1}), values({1, 2, 4})));
  }
}

TEST_CASE("feature network: refuses folders it does not know, naming the file") {
  const TempDir folder;
  const auto message = [&] { return message_of([&] { load_feature_network(folder.path()); }); };
  const std::string config = folder / "config.json";
  CHECK(message().find("config.json") != std::string::npos);
  write_file_atomic(config, R"({"_class_name": "UNet2DModel"})");
  CHECK(message() ==
        "features: config.json must be a PictureClassifier's or a CLIP model's (it is \"UNet2DModel\"'s); " + config +
            "; plumb shapes features trains one");
  write_file_atomic(config, R"({"_class_name": "PictureClassifier", "heads": []})");
  CHECK(message() == "features: PictureClassifier config: heads must not be empty; " + config);
  write_file_atomic(config, config_of(small_classifier()).dump());
  CHECK(message().starts_with("weights: there must be"));
  Generator generator(1);
  PictureClassifierOptions other = small_classifier();
  other.feature_dim = 7;
  PictureClassifier model(other, generator);
  save_state(folder / "model.safetensors", state_dict(model));
  CHECK(message().find("project.weight (expected [6, 200], got [7, 200])") != std::string::npos);
}
