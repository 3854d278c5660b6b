#include "diffusion/text_encoding.h"

#include <vector>

#include "autograd/grad_mode.h"
#include "engine/format.h"
#include "engine/ops.h"
#include "engine/require.h"
#include "nn/visitors.h"

namespace plumb {
namespace {

void check(const TextEncoders& encoders) {
  auto is_whole = [](const TextEncoder& each) { return !each.model == !each.tokenizer; };
  require<ValueError>(is_whole(encoders.first) && is_whole(encoders.second),
                      "prompts: a text encoder needs its tokenizer, and a tokenizer its text encoder");
  require<ValueError>(encoders.first.model || encoders.second.model, "prompts: the model has no text encoder");
  require<ValueError>(!encoders.second.model || encoders.second.model->options().with_projection,
                      "prompts: the second text encoder must have a projection (CLIPTextModelWithProjection)");
  if (!encoders.first.model || !encoders.second.model) return;
  const int64_t first = encoders.first.tokenizer->length(), second = encoders.second.tokenizer->length();
  require<ValueError>(first == second, "prompts: the tokenizers must have one length ({} and {})", first, second);
}

ClipTextOutput run(const TextEncoder& encoder, std::span<const std::string> prompts) {
  return encoder.model->forward(encoder.tokenizer->encode(prompts).to(device_of(*encoder.model)));
}

/// The hidden state that lies `skipped` layers in front of the last.
Variable state_of(const ClipTextOutput& out, int64_t skipped) {
  const int64_t layers = int64_t(out.hidden_states.size()) - 1;
  require<ValueError>(skipped >= 0 && skipped <= layers, "prompts: clip_skip leaves no layer ({} of {} left out)",
                      skipped, layers);
  return out.hidden_states[size_t(layers - skipped)];
}

Condition encode_with_one(const TextEncoder& encoder, std::span<const std::string> prompts, int64_t skip) {
  const ClipTextOutput out = run(encoder, prompts);
  if (skip == 0) return {.context = out.last_hidden_state.value()};
  return {.context = encoder.model->normalised(state_of(out, skip)).value()};
}

Condition encode(const TextEncoders& encoders, std::span<const std::string> prompts, int64_t skip) {
  check(encoders);
  const NoGrad no_grad;
  if (!encoders.second.model) return encode_with_one(encoders.first, prompts, skip);
  const ClipTextOutput second = run(encoders.second, prompts);
  Condition condition{.context = state_of(second, skip + 1).value(), .pooled = second.text_embeds.value()};
  if (encoders.first.model) {
    const Tensor first = state_of(run(encoders.first, prompts), skip + 1).value();
    condition.context = cat({first.to(condition.context.dtype()), condition.context}, -1);
  }
  return condition;
}

}  // namespace

Condition encode_prompts(const TextEncoders& encoders, std::span<const std::string> prompts,
                         const PromptOptions& options) {
  return encode(encoders, prompts, options.clip_skip);
}

Condition encode_negative_prompts(const TextEncoders& encoders,
                                  const std::optional<std::span<const std::string>>& prompts, int64_t count) {
  const std::vector<std::string> none(size_t(count), "");
  require<ValueError>(!prompts || int64_t(prompts->size()) == count,
                      "prompts: there must be one negative prompt for each prompt ({}, {} prompts)",
                      prompts ? prompts->size() : 0, count);
  if (prompts || !encoders.second.model || !encoders.force_zeros_for_empty_prompt)
    return encode(encoders, prompts.value_or(none), 0);
  check(encoders);
  const ClipTextModel* first = encoders.first.model;
  const ClipTextOptions& second = encoders.second.model->options();
  const int64_t features = second.hidden_size + (first ? first->options().hidden_size : 0);
  const DType dtype = encoders.second.model->dtype();
  const Device device = device_of(*encoders.second.model);
  return {.context = zeros({count, encoders.second.tokenizer->length(), features}, dtype, device),
          .pooled = zeros({count, second.projection_dim}, dtype, device)};
}

Tensor size_ids(const SizeIds& sizes, int64_t count) {
  const std::vector<float> row{float(sizes.original_height), float(sizes.original_width), float(sizes.crop_top),
                               float(sizes.crop_left),       float(sizes.target_height),  float(sizes.target_width)};
  std::vector<float> rows;
  for (int64_t i = 0; i < count; ++i) rows.insert(rows.end(), row.begin(), row.end());
  return from_vector(rows, {count, 6});
}

std::string cut_off(const ClipTokenizer& tokenizer, const std::string& prompt) {
  const std::vector<int64_t> ids = tokenizer.encode(prompt);
  const int64_t length = tokenizer.length();
  if (int64_t(ids.size()) <= length) return "";
  return tokenizer.decode(std::span(ids).subspan(size_t(length - 1), ids.size() - size_t(length)), false);
}

}  // namespace plumb
