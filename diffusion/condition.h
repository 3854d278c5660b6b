#pragma once

#include "engine/tensor.h"

namespace plumb {

/// What a denoiser is conditioned on. Every member is optional (undefined when absent) and has one row per sample.
struct Condition {
  Tensor labels = {};    ///< class labels, i64 [N]
  Tensor context = {};   ///< text embeddings for cross attention, [N, tokens, features]
  Tensor pooled = {};    ///< pooled text embedding, [N, features]
  Tensor time_ids = {};  ///< SDXL's size and crop numbers, [N, 6]
  Tensor tokens = {};    ///< of a text, i64 [N, tokens]: what a TextDenoiser makes context of

  /// Rows [begin, end) of every member.
  Condition rows(int64_t begin, int64_t end) const;
  /// Members moved to a floating dtype where they are floating.
  Condition to(DType dtype) const;
  /// Members moved to a device.
  Condition to(Device device) const;
  /// Rows of each, one behind the other. Throws ValueError when a member is present in some and absent in others.
  static Condition cat(const Condition& first, const Condition& second);
};

}  // namespace plumb
