#pragma once

#include <cmath>

#include "engine/ops/random/random.h"
#include "tests/nn/unet/golden_network.h"

// What the tests against tests/golden/clip and tests/golden/text share: weights as in make_clip_cases.py.

namespace plumb::test {

inline void fill(Module& model, uint64_t seed) {
  Generator generator(seed);
  for (const NamedParameter& each : parameters(model)) {
    const Parameter& parameter = *each.parameter;
    const bool is_table = each.name.ends_with("embedding.weight") && each.name.find("patch") == std::string::npos;
    std::vector<double> values = uniform(generator, parameter.shape(), 0, 1, DType::f64).to_vector<double>();
    for (double& u : values) {
      u = 2 * u - 1;
      if (parameter.shape().rank() == 1)
        u = u / 3 + (each.name.ends_with("weight") ? 1 : 0);
      else if (!is_table)
        u = u * (2.5 / std::sqrt(double(parameter.numel() / parameter.shape()[0])));
    }
    each.parameter->assign(from_vector(values, parameter.shape()));
  }
}

}  // namespace plumb::test
