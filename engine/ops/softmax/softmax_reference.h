#pragma once

#include "engine/tensor.h"

namespace plumb::reference {

/// exp(x_i) / sum over j of exp(x_j) along `dim`, by the formula (engine/ops/reference/array.h). Floating in, f64 out.
Tensor softmax(const Tensor& x, int64_t dim);
/// x_i - log(sum over j of exp(x_j)).
Tensor log_softmax(const Tensor& x, int64_t dim);

}  // namespace plumb::reference
