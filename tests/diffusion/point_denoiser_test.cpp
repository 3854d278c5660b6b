#include "diffusion/point_denoiser.h"

#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "diffusion/denoising_loss.h"
#include "engine/ops/random/random.h"
#include "nn/adapter.h"
#include "nn/lora/merge.h"
#include "nn/visitors.h"
#include "tests/support/numeric.h"

using namespace plumb;
using plumb::test::bits_of;
using plumb::test::random_tensor;

namespace {

struct Fixture {
  Generator generator{3};
  PointDenoiser network{{.classes = 3, .hidden = 16}, generator};
  Tensor x = random_tensor({7, 2}, 1, DType::f32);
  Tensor t = from_vector<float>({0, 5, 99, 3, 1, 42, 7}, {7});
  Condition condition{.labels = from_vector<int64_t>({0, 1, 2, 0, 1, 2, 0}, {7})};

  Tensor predict() { return network.predict(x, t, condition).value(); }
};

}  // namespace

TEST_CASE("point denoiser: an untrained adapter is the base bit for bit, a trained one is not, off it is again") {
  Fixture f;
  const std::string base = bits_of(f.predict());
  CHECK(add_adapters(f.network, "student", f.generator, {.rank = 4}) == 4);
  {
    const AdapterScope student(f.network, "student");
    CHECK(bits_of(f.predict()) == base);
  }
  for (const AdaptableLayer& layer : adaptable_layers(f.network)) {
    Adapter& adapter = *layer.adapters->find("student");
    adapter.up.assign(random_tensor(adapter.up.shape(), 8));
  }
  const AdapterScope student(f.network, "student");
  CHECK(bits_of(f.predict()) != base);
  const AdapterScope reference(f.network, "none");
  CHECK(bits_of(f.predict()) == base);
}

TEST_CASE("point denoiser: the denoising loss trains the adapter alone, and merged it predicts the same") {
  Fixture f;
  add_adapters(f.network, "student", f.generator, {.rank = 4, .alpha = 8});
  train_adapter_only(f.network, "student");
  const NoiseSchedule schedule({.num_train_timesteps = 100});
  const DenoisingBatch batch{.x0 = f.x,
                             .noise = randn(RandomKey{.seed = 1}, {7, 2}),
                             .t = randint(RandomKey{.seed = 2}, 0, 100, {7}),
                             .condition = f.condition};
  {
    const AdapterScope student(f.network, "student");
    backward(denoising_loss(f.network, schedule, Prediction::epsilon, batch));
  }
  for (const NamedParameter& named : parameters(f.network))
    CHECK(named.parameter->grad().defined() == (named.name.find(".adapters.") != std::string::npos));
  for (const NamedParameter& named : parameters(f.network, Include::adapters))
    named.parameter->assign(random_tensor(named.parameter->shape(), 9));
  const std::vector<double> adapted = [&] {
    const AdapterScope student(f.network, "student");
    return f.predict().to(DType::f64).to_vector<double>();
  }();
  const std::vector<double> base = f.predict().to(DType::f64).to_vector<double>();
  merge_adapter(f.network, "student");
  CHECK(plumb::test::worst_error(f.predict(), adapted) <= 1e-4);
  CHECK(plumb::test::worst_error(f.predict(), base) > 1e-2);
}
