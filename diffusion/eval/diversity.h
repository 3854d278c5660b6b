#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/tensor.h"

namespace plumb {

// How much the pictures of a set differ, by what a network makes of them. x: floating [N, D], on the CPU; computed in
// f64 on rows of length 1. Throw as check_features, and NumericError for a row of zeros.

/// exp of the entropy of the eigenvalues of the cosine kernel over N: the effective number of different pictures, from
/// 1 to min(N, D).                                                                [Friedman and Dieng 2023: Vendi
/// score]
double vendi_score(const Tensor& x);

/// Mean over groups (pictures of one prompt, say) of the mean of 1 - cosine over their pairs; empty when no group has
/// two. group: one number a row. Throws ShapeError.
std::optional<double> group_diversity(const Tensor& x, const std::vector<int64_t>& group);

}  // namespace plumb
