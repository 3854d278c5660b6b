#pragma once

#include "engine/tensor.h"

namespace plumb {

/// Mean and deviation over splits.
struct InceptionScore {
  double mean, deviation;
};

/// exp of the mean over pictures of KL(p(y | x) || p(y)), with p(y) the mean over the pictures of a split.
///                                                                                       [Salimans et al. 2016]
/// Between 1 (every picture has the same classes) and K (each picture surely of one class, all alike frequent).
/// logits: floating [N, K], on the CPU; split s holds rows s N / splits to (s + 1) N / splits, so rows should be in
/// random order. Throws ValueError unless 1 <= splits <= N; as check_features.
InceptionScore inception_score(const Tensor& logits, int64_t splits = 10);

}  // namespace plumb
