#include "nn/optim/optimizer.h"

#include <doctest/doctest.h>

#include <cmath>

#include "autograd/backward.h"
#include "autograd/ops/reduce.h"
#include "engine/error.h"
#include "engine/isa/kernels.h"
#include "engine/parallel.h"
#include "nn/optim/adam.h"
#include "nn/optim/clip.h"
#include "nn/optim/sgd.h"
#include "tests/support/numeric.h"

using namespace plumb;
using plumb::test::bits_of;
using plumb::test::random_tensor;

namespace {

/// Three parameters of awkward sizes, with gradients set by hand.
struct Weights {
  explicit Weights(DType dtype = DType::f64)
      : a(random_tensor({3, 5}, 1, dtype)), b(random_tensor({1}, 2, dtype)), c(random_tensor({17}, 3, dtype)) {}
  ParameterList list() { return {{"a", &a}, {"b", &b}, {"c", &c}}; }
  Parameter a, b, c;
};

void give_gradient(Parameter& parameter, uint64_t seed) {
  backward(parameter.variable(), {.grad = random_tensor(parameter.shape(), seed, parameter.dtype())});
}

void give_gradients(Weights& weights, uint64_t step) {
  give_gradient(weights.a, 100 + step);
  give_gradient(weights.b, 200 + step);
  give_gradient(weights.c, 300 + step);
}

/// Adam of one number, from the paper's formula, in a different order than the kernel.
struct OneAdam {
  double w, m = 0, v = 0;
  int t = 0;
  void step(double g, double rate, double decay, bool decoupled) {
    ++t;
    if (decoupled) w = w - rate * decay * w;
    if (!decoupled) g += decay * w;
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    w -= rate * (m / (1 - std::pow(0.9, t))) / (std::sqrt(v / (1 - std::pow(0.999, t))) + 1e-8);
  }
};

}  // namespace

TEST_CASE("arena: values move into flat memory bit for bit, gradients arrive in place") {
  Weights weights(DType::f32);
  const std::string before = bits_of(weights.a.value());
  ParameterArena arena(weights.list());
  REQUIRE(arena.groups().size() == 1);
  const ParameterArena::Group& group = arena.groups()[0];
  CHECK(group.offsets == std::vector<int64_t>{0, 16, 32});
  CHECK(group.size == 64);
  CHECK(bits_of(weights.a.value()) == before);
  CHECK(weights.a.value().raw_data() == group.values.raw_data());
  give_gradients(weights, 0);
  CHECK(weights.b.grad().raw_data() == group.grads.data<float>() + 16);
  // The gaps stay zero: norms and updates run over them.
  CHECK(group.grads.data<float>()[15] == 0);
  CHECK(group.grads.data<float>()[49] == 0);
}

TEST_CASE("arena: groups by type, refuses nothing and doubles") {
  Weights weights(DType::f32);
  weights.b.to_dtype(DType::bf16, true);
  weights.c.to_dtype(DType::f64, true);
  ParameterArena arena(weights.list());
  CHECK(arena.groups().size() == 3);
  CHECK_THROWS_WITH_AS(ParameterArena({}), "parameter arena: there must be parameters to train (0)", ValueError);
  CHECK_THROWS_WITH_AS(ParameterArena({{"a", &weights.a}, {"twin", &weights.a}}),
                       "parameter arena: a parameter is listed twice (twin)", ValueError);
}

TEST_CASE("optimizer: Adam and AdamW follow the formula over many steps") {
  for (bool decoupled : {false, true}) {
    CAPTURE(decoupled);
    Weights weights;
    const AdamSettings settings{.learning_rate = 0.01, .weight_decay = 0.1};
    std::unique_ptr<Optimizer> optimizer;
    if (decoupled)
      optimizer = std::make_unique<AdamW>(weights.list(), settings);
    else
      optimizer = std::make_unique<Adam>(weights.list(), settings);
    OneAdam expected{weights.c.value().to_vector<double>()[16]};
    for (uint64_t step = 0; step < 200; ++step) {
      optimizer->zero_grad();
      give_gradients(weights, step);
      const double rate = 0.01 * (1 + 0.1 * double(step % 7));
      optimizer->set_learning_rate(rate);
      expected.step(weights.c.grad().to_vector<double>()[16], rate, 0.1, decoupled);
      optimizer->step();
    }
    CHECK(weights.c.value().to_vector<double>()[16] == doctest::Approx(expected.w).epsilon(1e-12));
    CHECK(optimizer->steps() == 200);
  }
}

TEST_CASE("optimizer: a step leaves gradients alone and skips parameters that have none") {
  Weights weights;
  Adam optimizer(weights.list(), {.learning_rate = 0.1, .weight_decay = 0.5});
  give_gradient(weights.a, 1);
  give_gradient(weights.c, 2);
  const std::string grad = bits_of(weights.a.grad()), b = bits_of(weights.b.value()), c = bits_of(weights.c.value());
  optimizer.step();
  CHECK(bits_of(weights.a.grad()) == grad);
  CHECK(bits_of(weights.b.value()) == b);
  CHECK(bits_of(weights.c.value()) != c);
}

TEST_CASE("optimizer: a skipped step changes no bit, the count included") {
  Weights weights;
  Adam optimizer(weights.list());
  give_gradients(weights, 1);
  optimizer.step();
  const std::string a = bits_of(weights.a.value());
  Tensor skip = empty({}, DType::boolean);
  skip.fill_(1);
  optimizer.step(skip);
  CHECK(bits_of(weights.a.value()) == a);
  CHECK(optimizer.steps() == 1);
  skip.fill_(0);
  optimizer.step(skip);
  CHECK(bits_of(weights.a.value()) != a);
  CHECK(optimizer.steps() == 2);
}

TEST_CASE("optimizer: SGD with momentum, dampening, decay and Nesterov") {
  for (const SgdSettings& s :
       {SgdSettings{.learning_rate = 0.1}, SgdSettings{.learning_rate = 0.1, .weight_decay = 0.2},
        SgdSettings{.learning_rate = 0.1, .momentum = 0.9, .dampening = 0.3},
        SgdSettings{.learning_rate = 0.1, .momentum = 0.8, .weight_decay = 0.2, .nesterov = true}}) {
    Weights weights;
    Sgd optimizer(weights.list(), s);
    double w = weights.b.value().item(), buffer = 0;
    for (uint64_t step = 0; step < 20; ++step) {
      optimizer.zero_grad();
      give_gradients(weights, step);
      const double g = weights.b.grad().item() + s.weight_decay * w;
      buffer = step == 0 ? g : s.momentum * buffer + (1 - s.dampening) * g;
      w -= s.learning_rate * (s.nesterov ? g + s.momentum * buffer : s.momentum != 0 ? buffer : g);
      optimizer.step();
    }
    CHECK(weights.b.value().item() == doctest::Approx(w).epsilon(1e-13));
  }
  Weights weights;
  CHECK_THROWS_WITH_AS(Sgd(weights.list(), {.nesterov = true}),
                       "SGD: nesterov needs momentum and no dampening (momentum 0, dampening 0)", ValueError);
}

TEST_CASE("optimizer: masters take steps too small for bf16, values are their rounding") {
  Weights with(DType::f32), without(DType::f32);
  for (auto& named : with.list()) named.parameter->assign(ones(named.parameter->shape()));
  for (auto& named : without.list()) named.parameter->assign(ones(named.parameter->shape()));
  for (auto& named : with.list()) named.parameter->to_dtype(DType::bf16, true);
  for (auto& named : without.list()) named.parameter->to_dtype(DType::bf16, false);
  Sgd a(with.list(), {.learning_rate = 1e-4}), b(without.list(), {.learning_rate = 1e-4});
  for (int step = 0; step < 100; ++step) {
    for (auto& named : with.list())
      backward(named.parameter->variable(), {.grad = ones(named.parameter->shape(), DType::bf16)});
    for (auto& named : without.list())
      backward(named.parameter->variable(), {.grad = ones(named.parameter->shape(), DType::bf16)});
    a.step(), b.step();
    a.zero_grad(), b.zero_grad();
  }
  CHECK(with.a.master().to_vector<double>()[7] == doctest::Approx(0.99).epsilon(1e-5));
  CHECK(with.a.value().to_vector<float>()[7] == float(BFloat16(with.a.master().to_vector<float>()[7])));
  CHECK(without.a.value().to_vector<double>()[7] == 1);  // 1 - 1e-4 rounds back to 1
}

TEST_CASE("optimizer: state saved and loaded continues bit for bit") {
  Weights first;
  Adam one(first.list(), {.learning_rate = 0.02});
  for (uint64_t step = 0; step < 5; ++step) one.zero_grad(), give_gradients(first, step), one.step();

  Weights second;
  for (size_t i = 0; i < 3; ++i) second.list()[i].parameter->assign(first.list()[i].parameter->value());
  Adam two(second.list(), {.learning_rate = 0.5});
  two.load_state_dict(one.state_dict());
  CHECK(two.learning_rate() == 0.02);
  for (uint64_t step = 5; step < 9; ++step) {
    one.zero_grad(), give_gradients(first, step), one.step();
    two.zero_grad(), give_gradients(second, step), two.step();
  }
  CHECK(bits_of(first.a.value()) == bits_of(second.a.value()));
  CHECK(bits_of(first.c.value()) == bits_of(second.c.value()));

  StateDict broken = one.state_dict();
  broken.pop_back();
  CHECK_THROWS_WITH_AS(two.load_state_dict(broken),
                       "optimiser state: names and shapes must match; 1 missing: exp_avg_sq.c", ValueError);
}

TEST_CASE("optimizer: notices parameters that were moved away") {
  Weights weights;
  Adam first(weights.list());
  Adam second(weights.list());
  give_gradients(weights, 1);
  second.step();
  CHECK_THROWS_WITH_AS(first.step(),
                       "optimiser: parameter a no longer lies in the arena of this optimiser (another optimiser took "
                       "it, or its type changed); build the optimiser last",
                       Error);
}

TEST_CASE("optimizer: refuses settings outside their range") {
  Weights weights;
  CHECK_THROWS_WITH_AS(Adam(weights.list(), {.beta1 = 1}), "Adam: beta1 must be in [0, 1) (1)", ValueError);
  CHECK_THROWS_WITH_AS(AdamW(weights.list(), {.weight_decay = -1}), "AdamW: weight_decay must be in [0, inf) (-1)",
                       ValueError);
  CHECK_THROWS_AS(Adam(weights.list(), {.learning_rate = std::nan("")}), ValueError);
}

TEST_CASE("clip: the norm is that of all gradients, and they are scaled to the limit and no further") {
  Weights weights;
  ParameterArena arena(weights.list());
  give_gradients(weights, 4);
  double squares = 0;
  for (auto& named : weights.list())
    for (double g : named.parameter->grad().to_vector<double>()) squares += g * g;
  const double expected = std::sqrt(squares);
  CHECK(grad_norm(arena).item() == doctest::Approx(expected).epsilon(1e-14));
  const double before = weights.c.grad().to_vector<double>()[2];
  CHECK(clip_grad_norm(arena, 2 * expected).item() == doctest::Approx(expected).epsilon(1e-14));
  CHECK(weights.c.grad().to_vector<double>()[2] == before);
  clip_grad_norm(arena, expected / 4);
  CHECK(weights.c.grad().to_vector<double>()[2] == doctest::Approx(before / 4).epsilon(1e-6));
  CHECK_THROWS_WITH_AS(clip_grad_norm(arena, 0), "clip_grad_norm: the largest norm must be positive (0)", ValueError);
}

TEST_CASE("clip: a norm that is not finite is told to the optimiser on the device") {
  Weights weights;
  Adam optimizer(weights.list());
  for (double bad : {std::nan(""), double(INFINITY)}) {
    optimizer.zero_grad();
    give_gradients(weights, 1);
    weights.b.grad().fill_(bad);
    const std::string before = bits_of(weights.a.value());
    const Tensor norm = clip_grad_norm(optimizer.arena(), 1);
    CHECK(not_finite(norm).item() == 1);
    optimizer.step(not_finite(norm));
    CHECK(bits_of(weights.a.value()) == before);
  }
  CHECK(not_finite(scalar(1e300, DType::f64)).item() == 0);
}

TEST_CASE("optimizer: every instruction set gives the same bits, odd lengths included") {
  for (int64_t count : {1, 15, 16, 17, 1000}) {
    std::string bits[3];
    const char* names[3] = {"portable", "avx2", "avx512"};
    for (int k = 0; k < 3; ++k) {
      const Kernels* kernels = find_kernels(names[k]);
      if (!kernels) continue;
      Tensor w = random_tensor({count}, 1, DType::f32), g = random_tensor({count}, 2, DType::f32);
      Tensor m = random_tensor({count}, 3, DType::f32), v = zeros({count}), b = zeros({count}), shadow = zeros({count});
      float* weight = w.mutable_data<float>();
      kernels->optim.adam(weight, g.data<float>(), m.mutable_data<float>(), v.mutable_data<float>(), count,
                          {0.99f, 0.01f, 0.1f, 0.999f, 1e-3f, 1.7f, 1e-8f, 1e-2f});
      kernels->optim.sgd(weight, g.data<float>(), count, {0.1f, 0.9f, 1, 0.01f, 0, 1});
      kernels->optim.sgd_momentum(weight, g.data<float>(), b.mutable_data<float>(), count,
                                  {0.1f, 0.9f, 1, 0.01f, 1, 0.9f});
      kernels->optim.ema(shadow.mutable_data<float>(), weight, count, 0.3f);
      const double sum = kernels->optim.sum_of_squares(weight, count);
      bits[k] = bits_of(w) + bits_of(m) + bits_of(v) + bits_of(b) + bits_of(shadow) + bits_of(scalar(sum, DType::f64));
      CHECK(bits[k] == bits[0]);
    }
  }
}

TEST_CASE("optimizer: same bits for any number of threads") {
  const int before = num_threads();
  std::string bits[4];
  const int threads[4] = {1, 2, 3, 8};
  for (int i = 0; i < 4; ++i) {
    set_num_threads(threads[i]);
    Parameter large(random_tensor({70001}, 5, DType::f32));
    AdamW optimizer({{"large", &large}});
    for (uint64_t step = 0; step < 3; ++step) {
      optimizer.zero_grad();
      give_gradient(large, step);
      clip_grad_norm(optimizer.arena(), 1);
      optimizer.step();
    }
    bits[i] = bits_of(large.value());
  }
  set_num_threads(before);
  CHECK(bits[0] == bits[1]);
  CHECK(bits[0] == bits[2]);
  CHECK(bits[0] == bits[3]);
}
