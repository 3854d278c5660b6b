#include "nn/classifier/picture_classifier.h"

#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "engine/error.h"
#include "nn/state_dict.h"
#include "tests/support/golden.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

PictureClassifierOptions options_of(const Json& entry) {
  PictureClassifierOptions o;
  o.in_channels = entry.at("in_channels").as_integer(), o.image_size = entry.at("image_size").as_integer();
  o.block_out_channels.clear();
  for (const Json& channels : entry.at("block_out_channels").as_array())
    o.block_out_channels.push_back(channels.as_integer());
  o.norm_num_groups = entry.at("norm_num_groups").as_integer(), o.feature_dim = entry.at("feature_dim").as_integer();
  for (const Json& count : entry.at("heads").as_array()) {
    ClassifierHead& head = o.heads.emplace_back();
    head.name = "head" + std::to_string(o.heads.size());
    for (int64_t i = 0; i < count.as_integer(); ++i) head.classes.push_back(std::to_string(i));
  }
  return o;
}

StateDict weights_of(const Golden& golden, const std::string& name) {
  StateDict state;
  for (const auto& [key, tensor] : golden.tensors(name + ".weight.")) state.push_back({key, tensor});
  return state;
}

PictureClassifierOptions small() {
  PictureClassifierOptions o{.image_size = 8, .block_out_channels = {8}, .feature_dim = 4};
  o.heads = {{"shape", {"circle", "square"}}};
  return o;
}

}  // namespace

TEST_CASE("PictureClassifier: features, logits, loss and gradients are torch's") {
  const Golden golden("classifier");
  for (const Json& entry : golden.cases()) {
    const std::string name = entry.at("case").as_string();
    CAPTURE(name);
    PictureClassifier model(options_of(entry), Init::zeros());
    load_state_dict(model, weights_of(golden, name));
    const Variable x = Variable::leaf(golden.tensor(entry, "x"));
    const ClassifierOutput out = model.forward(x);
    const Variable loss = classifier_loss(out.logits, golden.tensor(entry, "labels"), model.options().heads);
    backward(loss);
    // Rounding of f32 over sums of at most 72 products; twice that much through the gradients.
    CHECK(norm_error(out.features.value(), golden.tensor(entry, "features")) < 1e-6);
    CHECK(norm_error(out.logits.value(), golden.tensor(entry, "logits")) < 1e-6);
    CHECK(std::abs(loss.value().item() - golden.tensor(entry, "loss").item()) < 1e-6);
    CHECK(norm_error(x.grad(), golden.tensor(entry, "grad_x")) < 2e-6);
    const TensorMap grads = golden.tensors(name + ".grad.");
    const ParameterList list = parameters(model);
    CHECK(list.size() == grads.size());
    for (const NamedParameter& named : list) {
      CAPTURE(named.name);
      // A bias before a norm of groups moves little but their means: most of its gradient cancels.
      CHECK(norm_error(named.parameter->grad(), grads.at(named.name)) < 1e-5);
    }
  }
}

TEST_CASE("PictureClassifier: its config.json reads back") {
  PictureClassifierOptions options = small();
  options.heads.push_back({"objects", {"1", "2", "3"}});
  const PictureClassifierOptions back = picture_classifier_options(Json::parse(config_of(options).dump()));
  CHECK(config_of(back) == config_of(options));
  CHECK(back.heads == options.heads);
  CHECK(back.outputs() == 5);
  CHECK(columns_of(back.heads, 1) == std::pair<int64_t, int64_t>{2, 5});
}

TEST_CASE("PictureClassifier: refuses impossible options and pictures") {
  const auto refused = [](auto change) {
    PictureClassifierOptions options = small();
    change(options);
    return message_of([&] { PictureClassifier(options, Init::zeros()); });
  };
  CHECK(refused([](auto& o) { o.feature_dim = 0; }) ==
        "PictureClassifier config: feature_dim must be between 1 and 65536 (0)");
  CHECK(refused([](auto& o) { o.block_out_channels = {12}; }) ==
        "PictureClassifier config: block_out_channels must be multiples of norm_num_groups, 8 (12)");
  CHECK(refused([](auto& o) { o.block_out_channels = {}; }) ==
        "PictureClassifier config: block_out_channels must not be empty");
  CHECK(refused([](auto& o) { o.heads = {}; }) == "PictureClassifier config: heads must not be empty");
  CHECK(refused([](auto& o) { o.heads.push_back(o.heads[0]); }) ==
        "PictureClassifier config: heads must have different names (\"shape\" twice)");
  CHECK(refused([](auto& o) { o.heads[0].classes = {"circle"}; }) ==
        "PictureClassifier config: head \"shape\" must have two classes (1)");
  CHECK(message_of([] {
          picture_classifier_options(Json::parse(R"({"heads": [{"name": "x"}]})"));
        }).starts_with("PictureClassifier config: heads: "));
  CHECK(message_of([] { picture_classifier_options(Json::parse(R"({"depth": 3})")); }) ==
        "PictureClassifier config: unknown key \"depth\"");
  const PictureClassifier model(small(), Init::zeros());
  CHECK(message_of([&] {
          model.forward(zeros({2, 3, 8, 9}));
        }) == "PictureClassifier: pictures must be [N, 3, 8, 8]; f32[2, 3, 8, 9]");
  CHECK(message_of([&] {
          classifier_loss(zeros({2, 2}), zeros({2, 2}, DType::i64), small().heads);
        }) == "classifier_loss: labels must be [2, 1]; i64[2, 2]");
}
