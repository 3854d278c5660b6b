#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/train/pictures/row_cache.h"
#include "apps/train/pictures/settings.h"
#include "diffusion/condition.h"
#include "diffusion/pipeline/pipeline.h"
#include "nn/data/picture_dataset.h"

namespace plumb::train {

/// What the text encoders make of texts, a row each; made once, kept in files.
class TextRows {
 public:
  /// `folder`: of the caches.
  TextRows(const std::string& folder, const Pipeline& pipeline, const std::vector<std::string>& texts, bool quiet);

  /// Context and, for SDXL, pooled embeddings of rows, on the CPU.
  Condition of(const std::vector<int64_t>& rows) const;

 private:
  std::unique_ptr<RowCache> cache_;
};

/// The different captions of a data set, and which of them a sample is shown with.
class Captions {
 public:
  Captions(const PictureDataset& data, double proportion_empty);

  /// The empty caption first.
  const std::vector<std::string>& texts() const { return texts_; }
  /// Rows of texts() of samples; for a share of them that of no caption, drawn with `key` by the row's place.
  std::vector<int64_t> rows_of(const std::vector<int64_t>& samples, const RandomKey& key) const;

 private:
  double proportion_empty_;
  std::vector<std::string> texts_;
  std::vector<int64_t> row_of_;  // of each sample
};

/// The captions as tokens, for a text encoder that is trained.
class CaptionTokens {
 public:
  CaptionTokens(const PictureSettings& settings, const PictureDataset& data, const Pipeline& pipeline)
      : captions_(data, settings.proportion_empty_prompts), tokens_(pipeline.tokenizer->encode(captions_.texts())) {}

  /// Of samples, i64 [N, tokens] on the CPU.
  Tensor of(const std::vector<int64_t>& samples, const RandomKey& key) const;

 private:
  Captions captions_;
  Tensor tokens_;
};

/// What the text encoders make of every caption of a data set, and of the empty one; made once, kept in files.
class Texts {
 public:
  Texts(const PictureSettings& settings, const PictureDataset& data, const Pipeline& pipeline);

  /// Context and, for SDXL, pooled embeddings of samples, on the CPU.
  Condition of(const std::vector<int64_t>& samples, const RandomKey& key) const;

 private:
  Captions captions_;
  std::unique_ptr<TextRows> rows_;
};

}  // namespace plumb::train
