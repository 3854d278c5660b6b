#include "apps/train/pictures/texts.h"

#include <map>

#include "apps/train/pictures/model.h"
#include "diffusion/pipeline/pipeline_text.h"
#include "engine/io/sha256.h"
#include "engine/ops.h"
#include "engine/random/fills.h"

namespace plumb::train {
namespace {

std::string key_of(const Pipeline& pipeline, const std::vector<std::string>& captions) {
  Sha256 hash;
  for (ClipTextModel* model : {pipeline.text_encoder.get(), pipeline.text_encoder_2.get()})
    if (model) hash.update(fingerprint(*model));
  for (const auto& [name, bytes] : pipeline.tokenizer_files) hash.update(name).update(sha256_hex(bytes));
  for (const std::string& caption : captions) hash.update(sha256_hex(caption));
  return hash.finish_hex();
}

}  // namespace

TextRows::TextRows(const std::string& folder, const Pipeline& pipeline, const std::vector<std::string>& texts,
                   bool quiet) {
  const TextEncoders encoders = text_encoders_of(pipeline);
  const auto make = [&](int64_t begin, int64_t end) {
    constexpr int64_t kTogether = 16;
    std::vector<Tensor> contexts, pooled;
    for (int64_t i = begin; i < end; i += kTogether) {
      const size_t count = size_t(std::min(kTogether, end - i));
      const Condition condition = encode_prompts(encoders, std::span(texts).subspan(size_t(i), count));
      contexts.push_back(condition.context.to(kCpu).to(DType::f32));
      if (condition.pooled.defined()) pooled.push_back(condition.pooled.to(kCpu).to(DType::f32));
    }
    TensorMap made{{"context", cat(contexts, 0)}};
    if (!pooled.empty()) made.emplace("pooled", cat(pooled, 0));
    return made;
  };
  cache_ = std::make_unique<RowCache>(
      folder,
      RowCache::Options{.name = "text", .key = key_of(pipeline, texts), .rows = int64_t(texts.size()), .quiet = quiet},
      make);
}

Condition TextRows::of(const std::vector<int64_t>& rows) const {
  Condition condition{.context = cache_->gather("context", rows)};
  if (cache_->contains("pooled")) condition.pooled = cache_->gather("pooled", rows);
  return condition;
}

Captions::Captions(const PictureDataset& data, double proportion_empty)
    : proportion_empty_(proportion_empty), texts_{""} {
  std::map<std::string, int64_t> rows = {{"", 0}};
  for (const PictureSample& sample : data.samples) {
    const auto [row, is_new] = rows.emplace(sample.caption, int64_t(texts_.size()));
    if (is_new) texts_.push_back(sample.caption);
    row_of_.push_back(row->second);
  }
}

std::vector<int64_t> Captions::rows_of(const std::vector<int64_t>& samples, const RandomKey& key) const {
  std::vector<float> chance(samples.size());
  fill_uniform(key.fork("empty prompt"), {int64_t(samples.size()), 1}, chance.data());
  std::vector<int64_t> rows;
  for (size_t i = 0; i < samples.size(); ++i)
    rows.push_back(double(chance[i]) < proportion_empty_ ? 0 : row_of_[size_t(samples[i])]);
  return rows;
}

Tensor CaptionTokens::of(const std::vector<int64_t>& samples, const RandomKey& key) const {
  const std::vector<int64_t> rows = captions_.rows_of(samples, key);
  return index_select(tokens_, 0, from_vector(rows, {int64_t(rows.size())}));
}

Texts::Texts(const PictureSettings& settings, const PictureDataset& data, const Pipeline& pipeline)
    : captions_(data, settings.proportion_empty_prompts) {
  rows_ =
      std::make_unique<TextRows>(settings.global.out + "/cache", pipeline, captions_.texts(), settings.global.quiet);
}

Condition Texts::of(const std::vector<int64_t>& samples, const RandomKey& key) const {
  return rows_->of(captions_.rows_of(samples, key));
}

}  // namespace plumb::train
