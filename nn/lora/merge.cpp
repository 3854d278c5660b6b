#include "nn/lora/merge.h"

#include <cmath>

#include "engine/ops.h"
#include "engine/require.h"
#include "nn/adapter.h"

namespace plumb {
namespace {

Tensor merged(const Parameter& base, const Adapter& adapter, double weight) {
  const Tensor product = matmul(adapter.up.weight().to(DType::f64), adapter.down.weight().to(DType::f64));
  const Tensor sum = add(base.weight().to(DType::f64), mul(reshape(product, base.shape()), weight * adapter.scale()));
  // A 16-bit value is its master rounded; from f64 directly it could round the other way.
  return base.has_master() ? sum.to(DType::f32) : sum;
}

}  // namespace

int merge_adapter(Module& module, std::string_view name, double weight) {
  require<ValueError>(std::isfinite(weight), "merge_adapter: weight must be finite ({}); {}", weight, name);
  int layers = 0;
  for (const AdaptableLayer& layer : adaptable_layers(module)) {
    const Adapter* adapter = layer.adapters->find(name);
    if (!adapter) continue;
    layer.weight->assign(merged(*layer.weight, *adapter, weight));
    layer.adapters->remove(name);
    ++layers;
  }
  require<ValueError>(layers > 0, "merge_adapter: no layer has an adapter of this name ({})", name);
  return layers;
}

}  // namespace plumb
