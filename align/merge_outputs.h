#pragma once

#include <vector>

#include "align/objective.h"

namespace plumb {

/// Per-sample tensors of parts, each winners first when `halves` ([2B_i]), in one, winners first; else one behind the
/// other. Undefined when the first is.
Tensor cat_halves(const std::vector<Tensor>& parts, bool halves);

/// The outputs of the parts of a batch as the output of the whole: losses and means weighted by rows, per-sample values
/// in the order of the batch. KTO's k is the parts' mean. Losses are constants.
ObjectiveOutput merge_outputs(const std::vector<ObjectiveOutput>& parts);

}  // namespace plumb
