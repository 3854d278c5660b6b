#include "nn/clip/clip_names.h"

#include <doctest/doctest.h>

#include <string>

#include "nn/clip/clip_text_model.h"
#include "nn/clip/clip_vision_model.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

std::string joined(const StateDict& state) {
  std::string names;
  for (const NamedTensor& each : state) names += (names.empty() ? "" : " ") + each.name;
  return names;
}

StateDict without_prefix(const StateDict& state, const std::string& prefix) {
  StateDict result;
  for (const NamedTensor& each : state)
    result.push_back({each.name.starts_with(prefix) ? each.name.substr(prefix.size()) : each.name, each.tensor});
  return result;
}

}  // namespace

TEST_CASE("with_clip_names: files with and without the prefix and with position_ids load the same") {
  const ClipTextOptions text{.vocab_size = 5,
                             .hidden_size = 4,
                             .intermediate_size = 4,
                             .projection_dim = 3,
                             .num_hidden_layers = 1,
                             .num_attention_heads = 1,
                             .with_projection = true};
  Generator generator(1);
  ClipTextModel model(text, generator);
  const std::string expected = joined(state_dict(model));
  CHECK(joined(with_clip_text_names(state_dict(model))) == expected);
  StateDict bare = without_prefix(state_dict(model), "text_model.");
  bare.push_back({"embeddings.position_ids", zeros({1, 77}, DType::i64)});
  CHECK(joined(with_clip_text_names(bare)) == expected);
  load_state_dict(model, with_clip_text_names(bare));

  const ClipVisionOptions vision{.hidden_size = 4,
                                 .intermediate_size = 4,
                                 .num_hidden_layers = 1,
                                 .num_attention_heads = 2,
                                 .image_size = 4,
                                 .patch_size = 2};
  ClipVisionModel eye(vision, generator);
  CHECK(joined(with_clip_vision_names(without_prefix(state_dict(eye), "vision_model."))) == joined(state_dict(eye)));
}

TEST_CASE("clip_text_part, clip_vision_part: a whole CLIPModel is taken apart; foreign names stay to be refused") {
  const Tensor t = zeros({1});
  const StateDict whole{{"logit_scale", t},
                        {"text_model.a", t},
                        {"vision_model.b", t},
                        {"text_projection.weight", t},
                        {"visual_projection.weight", t}};
  CHECK(joined(clip_text_part(whole)) == "text_model.a text_projection.weight");
  CHECK(joined(clip_vision_part(whole)) == "vision_model.b visual_projection.weight");
  CHECK(joined(with_clip_text_names({{"lora.a", t}})) == "lora.a");
}
