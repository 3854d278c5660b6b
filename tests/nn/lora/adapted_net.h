#pragma once

#include "nn/adapter.h"
#include "nn/layers/activations.h"
#include "nn/layers/linear.h"
#include "nn/layers/sequential.h"
#include "nn/visitors.h"
#include "tests/support/numeric.h"

// Modules with adapters that the tests of nn/lora share.

namespace plumb::test {

/// Linear(6, 8), SiLU, Linear(8, 3) under the paths "0" and "2".
struct AdaptedNet {
  explicit AdaptedNet(DType dtype = DType::f32) : x(random_tensor({5, 6}, 4, dtype)) {
    net.add<Linear>(6, 8, generator, LinearOptions{.dtype = dtype}).add<SiLU>();
    net.add<Linear>(8, 3, generator, LinearOptions{.dtype = dtype});
  }
  /// An adapter whose up matrices are not zero.
  void add(const std::string& name, const AdapterOptions& options, uint64_t seed,
           const std::vector<std::string>& targets = {}) {
    add_adapters(net, name, generator, options, targets);
    for (const AdaptableLayer& layer : adaptable_layers(net))
      if (Adapter* adapter = layer.adapters->find(name))
        adapter->up.assign(random_tensor(adapter->up.shape(), seed++, DType::f64));
  }
  std::string output(const std::string& adapter) {
    const AdapterScope scope(net, adapter);
    return bits_of(net.forward(x).value());
  }
  Generator generator{11};
  Sequential net;
  Tensor x;
};

/// Stands for a convolution: a weight [4, 2, 3, 3] with adapters.
struct KernelLayer final : public Layer<KernelLayer> {
  KernelLayer() : weight(random_tensor({4, 2, 3, 3}, 5)), adapters(18, 4) {}
  explicit KernelLayer(const KernelLayer&) = default;
  void visit(ModuleVisitor& visitor) override { visitor("weight", weight), visitor(adapters); }

  Generator generator{3};
  Parameter weight;
  AdapterList adapters;
};

}  // namespace plumb::test
