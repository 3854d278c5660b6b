#include "nn/vae/old_names.h"

#include <doctest/doctest.h>

#include "engine/ops/layout/view.h"
#include "nn/vae/autoencoder_kl.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

void replace(std::string& text, const std::string& before, const std::string& after) {
  if (const size_t at = text.find(before); at != std::string::npos) text.replace(at, before.size(), after);
}

}  // namespace

TEST_CASE("with_new_attention_names: an old file, also with 1x1 convolutions, gives the same network") {
  AutoencoderKLOptions options;
  options.block_out_channels = {4};
  options.norm_num_groups = 2;
  Generator generator(1);
  AutoencoderKL model(options, generator), other(options, Init::zeros());
  for (const bool convolutions : {false, true}) {
    CAPTURE(convolutions);
    StateDict old;
    for (NamedTensor each : state_dict(model)) {
      const std::string name = each.name;
      replace(each.name, "to_q", "query"), replace(each.name, "to_k", "key"), replace(each.name, "to_v", "value");
      replace(each.name, "to_out.0", "proj_attn");
      if (convolutions && each.name != name && each.tensor.rank() == 2)
        each.tensor = reshape(each.tensor, {4, 4, 1, 1});
      old.push_back(each);
    }
    const StateDict renamed = with_new_attention_names(old), expected = state_dict(model);
    REQUIRE(renamed.size() == expected.size());
    for (size_t i = 0; i < renamed.size(); ++i) CHECK(renamed[i].name == expected[i].name);
    load_state_dict(other, renamed);
    const Tensor x = random_tensor({1, 3, 4, 5}, 2, DType::f32);
    CHECK(bits_of(other.encode(x).mean().value()) == bits_of(model.encode(x).mean().value()));
  }
}

TEST_CASE("with_new_attention_names: other tensors keep their names and shapes") {
  const Tensor conv = zeros({4, 4, 1, 1});
  const StateDict state{{"text.value.weight", conv},
                        {"attentions.0.values.weight", conv},
                        {"attentions.x.query.weight", conv},
                        {"a.attentions.0.query", conv},
                        {"down.attentions.12.value.bias", zeros({4})},
                        {"mid.attentions.0.to_q.weight", conv},
                        {"mid.attentions.0.to_q.weight", zeros({4, 4, 3, 1})},
                        {"quant_conv.weight", conv}};
  const StateDict result = with_new_attention_names(state);
  for (const size_t same : {0, 1, 2, 3, 7}) {
    CHECK(result[same].name == state[same].name);
    CHECK(result[same].tensor.rank() == 4);
  }
  CHECK(result[4].name == "down.attentions.12.to_v.bias");
  CHECK(result[5].tensor.shape() == Shape{4, 4});
  CHECK(result[6].tensor.shape() == Shape{4, 4, 3, 1});
}
