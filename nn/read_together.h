#pragma once

#include <initializer_list>
#include <vector>

#include "engine/tensor.h"

namespace plumb {

/// All elements of each tensor as doubles; empty for an undefined one. Tensors of a device come over in one transfer,
/// so that the host waits for it once. Any dtypes; all on one device.
std::vector<std::vector<double>> read_together(std::initializer_list<Tensor> tensors);

}  // namespace plumb
