#include "align/perturb_init.h"

#include <cmath>

#include "engine/format.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "engine/require.h"

namespace plumb {

void perturb_weights(const ParameterList& weights, double deviation, const RandomKey& key) {
  require<ValueError>(deviation >= 0 && std::isfinite(deviation),
                      "perturb_init: the standard deviation must be finite and not negative ({})", deviation);
  if (deviation == 0) return;
  for (const NamedParameter& named : weights) {
    const Tensor& weight = named.parameter->weight();
    const DType dtype = weight.dtype() == DType::f64 ? DType::f64 : DType::f32;
    named.parameter->assign(weight.to(dtype) +
                            randn(key.fork(named.name), weight.shape(), dtype, weight.device()) * deviation);
  }
}

}  // namespace plumb
