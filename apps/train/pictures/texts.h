#pragma once

#include <memory>
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

/// What the text encoders make of every caption of a data set, and of the empty one; made once, kept in files.
class Texts {
 public:
  Texts(const PictureSettings& settings, const PictureDataset& data, const Pipeline& pipeline);

  /// Context and, for SDXL, pooled embeddings of samples, on the CPU; of a share of them those of no caption, drawn
  /// with `key` by the row's place.
  Condition of(const std::vector<int64_t>& samples, const RandomKey& key) const;

 private:
  double proportion_empty_;
  std::vector<int64_t> row_of_;  // of each sample; the empty caption is row 0
  std::unique_ptr<TextRows> rows_;
};

}  // namespace plumb::train
