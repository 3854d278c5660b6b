#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/ops/elementwise.h"
#include "autograd/ops/reduce.h"
#include "engine/allocator.h"
#include "engine/packed_cache.h"
#include "nn/adapter.h"
#include "nn/layers/linear.h"
#include "nn/layers/sequential.h"
#include "nn/optim/adam.h"
#include "tests/support/numeric.h"

using namespace plumb;

namespace {

int64_t bytes_in_use() { return allocator_statistics().allocated_bytes; }

}  // namespace

TEST_CASE("adapter: a frozen base costs no gradient memory, and the reference no second copy of it") {
  // Copies of frozen weights, packed for the matrix product, have a bound of their own.
  set_packed_cache_limit(0);
  constexpr int64_t kFeatures = 512, kRank = 2, kBatch = 4, kLayers = 6;
  constexpr int64_t kLayer = (kFeatures + 1) * kFeatures * 4, kBase = kLayers * kLayer;
  constexpr int64_t kAdapter = kLayers * 2 * kRank * kFeatures * 4, kSlack = 128 * 1024;
  const Tensor x = plumb::test::random_tensor({kBatch, kFeatures}, 3, DType::f32);
  Generator generator(5);
  const int64_t empty_process = bytes_in_use();
  Sequential net;
  for (int64_t i = 0; i < kLayers; ++i) net.add<Linear>(kFeatures, kFeatures, generator);
  CHECK(bytes_in_use() - empty_process >= kBase);

  const int64_t base_alone = bytes_in_use();
  add_adapters(net, "student", generator, {.rank = kRank});
  train_adapter_only(net, "student");
  Adam adam(trainable(parameters(net)), {.learning_rate = 1e-3});
  int64_t trained = 0;
  for (int step = 0; step < 3; ++step) {
    adam.zero_grad();
    Variable loss;
    {
      const AdapterScope student(net, "student");
      const Variable y = net.forward(x);
      const AdapterScope reference(net, "none");
      const Variable difference = sub(y, net.forward(x).detach());
      loss = sum(mul(difference, add(difference, 1)));
    }
    backward(loss);
    adam.step();
    if (step == 0) reset_peak_memory(), trained = bytes_in_use();
  }
  // Value, gradient and two moments of the adapters (their own values moved into the optimiser's arena), and the last
  // graph's results: far below one copy or one gradient of the base. At the peak a matrix product may pack one layer.
  CHECK(trained - base_alone <= 4 * kAdapter + kSlack);
  CHECK(allocator_statistics().peak_allocated_bytes - base_alone <= 6 * kAdapter + kSlack + 5 * kLayer / 4);
  CHECK(6 * kAdapter + kSlack + 5 * kLayer / 4 < kBase / 2);
  for (const NamedParameter& named : parameters(net, Include::base)) CHECK_FALSE(named.parameter->grad().defined());

  // The same with everything trained does cost that much: the measure can tell.
  set_requires_grad(net, true);
  backward(sum(net.forward(x)));
  CHECK(bytes_in_use() - trained >= kBase);
  set_packed_cache_limit(kDefaultPackedCacheBytes);
}
