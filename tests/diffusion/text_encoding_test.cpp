// Against diffusers' pipelines (tests/golden/make_text_encoding_cases.py).

#include "diffusion/text_encoding.h"

#include "diffusion/pipeline/pipeline_text.h"
#include "tests/nn/clip/golden_clip.h"
#include "tests/nn/clip/golden_tokenizer.h"

using namespace plumb;
using namespace plumb::test;

namespace {

std::vector<std::string> texts_of(const Json& list) {
  std::vector<std::string> texts;
  for (const Json& text : list.as_array()) texts.push_back(text.as_string());
  return texts;
}

/// The encoders of a case, with what they point to.
struct Encoders {
  std::vector<ClipTokenizer> tokenizers;
  std::vector<std::unique_ptr<ClipTextModel>> models;

  explicit Encoders(const Json& entry) {
    for (size_t i = 0; i < entry.at("configs").size(); ++i) {
      const TempDir root;
      tokenizers.push_back(ClipTokenizer::load(assemble_tokenizer(root, entry.at("tokenizers")[i].as_string())));
      models.push_back(std::make_unique<ClipTextModel>(clip_text_options(entry.at("configs")[i]), Init::zeros()));
      fill(*models.back(), uint64_t(entry.at("seeds")[i].as_integer()));
    }
  }
  TextEncoder at(size_t i) const { return {&tokenizers[i], models[i].get()}; }
};

TextEncoders encoders_of(const Encoders& all, const Json& entry) {
  if (entry.at("kind").as_string() == "sd") return {.first = all.at(0)};
  TextEncoders encoders{.first = {}, .second = all.at(all.models.size() - 1)};
  if (all.models.size() == 2) encoders.first = all.at(0);
  encoders.force_zeros_for_empty_prompt = entry.at("force_zeros").as_bool();
  return encoders;
}

void check_condition(const Golden& golden, const Json& entry, const std::string& prefix, const Condition& condition) {
  CAPTURE(prefix);
  CHECK(norm_error(condition.context, golden.tensor(entry, prefix + "context")) <= 1e-5);
  CHECK(condition.pooled.defined() == (entry.at("kind").as_string() == "sdxl"));
  if (condition.pooled.defined()) CHECK(norm_error(condition.pooled, golden.tensor(entry, prefix + "pooled")) <= 1e-5);
}

}  // namespace

TEST_CASE("encode_prompts: contexts, pooled features and those of negative prompts agree with diffusers' pipelines") {
  const Golden golden("text_encoding");
  REQUIRE(golden.cases().size() == 6);
  for (const Json& entry : golden.cases()) {
    CAPTURE(entry.at("case").as_string());
    const Encoders all(entry);
    const TextEncoders encoders = encoders_of(all, entry);
    const Json& skip = entry.at("clip_skip");
    const std::vector<std::string> prompts = texts_of(entry.at("prompts"));
    const Condition condition =
        encode_prompts(encoders, prompts, {.clip_skip = skip.is_null() ? 0 : skip.as_integer()});
    check_condition(golden, entry, "", condition);
    std::optional<std::span<const std::string>> negative;
    const std::vector<std::string> texts =
        entry.at("negative").is_null() ? std::vector<std::string>{} : texts_of(entry.at("negative"));
    if (!texts.empty()) negative = texts;
    check_condition(golden, entry, "negative.", encode_negative_prompts(encoders, negative, int64_t(prompts.size())));
  }
}

TEST_CASE("encode_prompts: what does not fit together is refused") {
  const Golden golden("text_encoding");
  const std::vector<Json> cases = golden.cases("sdxl");
  const Encoders all(cases[0]);
  const std::vector<std::string> prompts{"a cat"};
  auto refused = [&](const TextEncoders& encoders, int64_t skip = 0) {
    return message_of([&] { encode_prompts(encoders, prompts, {.clip_skip = skip}); });
  };
  CHECK(refused({}) == "prompts: the model has no text encoder");
  CHECK(refused({.first = {&all.tokenizers[0], nullptr}}) ==
        "prompts: a text encoder needs its tokenizer, and a tokenizer its text encoder");
  CHECK(refused({.first = all.at(1), .second = all.at(0)}) ==
        "prompts: the second text encoder must have a projection (CLIPTextModelWithProjection)");
  CHECK(refused({.first = all.at(0)}, 4) == "prompts: clip_skip leaves no layer (4 of 3 left out)");
  CHECK(refused({.first = all.at(0), .second = all.at(1)}, -2) ==
        "prompts: clip_skip leaves no layer (-1 of 3 left out)");
  CHECK(message_of([&] { encode_negative_prompts({.first = all.at(0)}, prompts, 2); }) ==
        "prompts: there must be one negative prompt for each prompt (1, 2 prompts)");
  CHECK(encode_prompts({.first = all.at(0)}, {}).context.shape() == Shape{0, 77, 6});
}

TEST_CASE("size_ids, cut_off: rows of six numbers; the part of a prompt that is not read") {
  const Tensor ids = size_ids({.original_height = 512,
                               .original_width = 768,
                               .crop_top = 3,
                               .crop_left = 5,
                               .target_height = 256,
                               .target_width = 384},
                              2);
  CHECK(ids.shape() == Shape{2, 6});
  CHECK(ids.to_vector<float>() == std::vector<float>{512, 768, 3, 5, 256, 384, 512, 768, 3, 5, 256, 384});
  const TempDir root;
  const ClipTokenizer tokenizer = ClipTokenizer::load(assemble_tokenizer(root, "padded_by_end"));
  std::string words;
  for (int i = 0; i < 75; ++i) words += "cat ";
  CHECK(cut_off(tokenizer, words) == "");
  CHECK(cut_off(tokenizer, words + "photo street") == "photo street");
}

TEST_CASE("text_encoders_of: what a pipeline has") {
  const Golden golden("text_encoding");
  const Json entry = golden.cases("sdxl")[1];
  Encoders all(entry);
  Pipeline pipeline;
  CHECK_FALSE(text_encoders_of(pipeline).first.model);
  pipeline.text_encoder = std::move(all.models[0]);
  pipeline.text_encoder_2 = std::move(all.models[1]);
  pipeline.tokenizer = all.tokenizers[0];
  pipeline.tokenizer_2 = all.tokenizers[1];
  pipeline.force_zeros_for_empty_prompt = false;
  const TextEncoders encoders = text_encoders_of(pipeline);
  CHECK_FALSE(encoders.force_zeros_for_empty_prompt);
  check_condition(golden, entry, "", encode_prompts(encoders, texts_of(entry.at("prompts")), {.clip_skip = 1}));
}
