#include "nn/optim/adafactor.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/backward.h"
#include "engine/error.h"
#include "engine/ops/layout/view.h"
#include "engine/parallel.h"
#include "nn/optim/clip.h"
#include "tests/support/golden.h"
#include "tests/support/numeric.h"

using namespace plumb;
using plumb::test::bits_of;
using plumb::test::random_tensor;

namespace {

/// Largest |a - b| / max(floor, |b|); infinity on NaN or different shapes.
double worst(const Tensor& actual, const Tensor& expected, double floor = 1) {
  if (actual.shape() != expected.shape()) return std::numeric_limits<double>::infinity();
  const std::vector<double> a = actual.to_vector<double>(), b = expected.to_vector<double>();
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double error = std::abs(a[i] - b[i]) / std::max(floor, std::abs(b[i]));
    largest = error <= largest ? largest : std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
  }
  return largest;
}

AdafactorSettings settings_of(const Json& options) {
  AdafactorSettings s;
  if (const Json* eps = options.find("eps")) s.epsilon = (*eps)[0].as_number(), s.epsilon_scale = (*eps)[1].as_number();
  const auto read = [&](const char* key, double& value) {
    if (const Json* given = options.find(key)) value = given->as_number();
  };
  read("clip_threshold", s.clip_threshold);
  read("decay_rate", s.decay_rate);
  read("weight_decay", s.weight_decay);
  read("beta1", s.beta1);
  if (const Json* given = options.find("scale_parameter")) s.scale_parameter = given->as_bool();
  return s;
}

/// A matrix, a vector and a convolution's weight in channels-last order, all of odd sizes.
struct Weights {
  explicit Weights(DType dtype = DType::f32)
      : a(random_tensor({5, 3}, 1, dtype)),
        b(random_tensor({7}, 2, dtype)),
        c(Parameter::of_kernels(random_tensor({3, 5, 3, 2}, 3, dtype))) {}
  ParameterList list() { return {{"a", &a}, {"b", &b}, {"c", &c}}; }
  std::string bits() { return bits_of(a.value()) + bits_of(b.value()) + bits_of(c.value()); }
  Parameter a, b, c;
};

void give_gradients(Weights& weights, uint64_t step) {
  for (const auto& [name, parameter] : weights.list())
    backward(parameter->variable(),
             {.grad = random_tensor(parameter->shape(), 100 * step + uint64_t(name[0]), parameter->dtype())});
}

void take_step(Weights& weights, Optimizer& optimizer, uint64_t step) {
  optimizer.zero_grad();
  give_gradients(weights, step);
  optimizer.step();
}

}  // namespace

TEST_CASE("Adafactor: six steps of every setting, and the state after them, agree with transformers") {
  const plumb::test::Golden golden("adafactor");
  const std::vector<Json> cases = golden.cases("adafactor");
  REQUIRE(cases.size() == 7);
  for (const Json& entry : cases) {
    const std::string name = entry.at("case").as_string();
    CAPTURE(name);
    std::vector<std::string> names;
    for (const auto& [key, tensor] : golden.tensors(name + "."))
      if (key.ends_with(".initial")) names.push_back(key.substr(0, key.size() - std::string(".initial").size()));
    REQUIRE(names.size() == 6);
    std::vector<std::unique_ptr<Parameter>> parameters;
    ParameterList list;
    for (const std::string& key : names) {
      const Tensor initial = golden.tensor(entry, key + ".initial").clone();
      parameters.push_back(std::make_unique<Parameter>(
          key == "kernel" || key == "pixel" ? Parameter::of_kernels(initial) : Parameter(initial)));
      list.push_back({key, parameters.back().get()});
    }
    const double tolerance = list.front().parameter->dtype() == DType::f64 ? 1e-12 : 2e-6;
    Adafactor optimizer(list, settings_of(entry.at("options")));
    double error = 0;
    for (int64_t step = 0; step < 6; ++step) {
      optimizer.zero_grad();
      for (const auto& [key, parameter] : list)
        backward(parameter->variable(), {.grad = select(golden.tensor(entry, key + ".gradients"), 0, step).clone()});
      optimizer.set_learning_rate(entry.at("lr")[size_t(step)].as_number());
      optimizer.step();
      for (const auto& [key, parameter] : list)
        error = std::max(error, worst(parameter->value(), select(golden.tensor(entry, key + ".values"), 0, step)));
    }
    CHECK(error <= tolerance);
    const auto expected = golden.tensors(name + ".state.");
    const StateDict state = optimizer.state_dict();
    CHECK(state.size() == expected.size() + 2);
    for (const NamedTensor& each : state) {
      if (each.name == "step" || each.name == "learning_rate") continue;
      CAPTURE(each.name);
      REQUIRE(expected.contains(each.name));
      CHECK(worst(each.tensor, expected.at(each.name), 1e-3) <= tolerance);
    }
  }
}

TEST_CASE("Adafactor: memory is that of rows and columns, and is said beforehand") {
  Parameter matrix(random_tensor({300, 200}, 1, DType::f32));
  Parameter kernel = Parameter::of_kernels(random_tensor({4, 6, 3, 5}, 2, DType::f32));
  Parameter half(random_tensor({9}, 3, DType::f32));
  half.to_dtype(DType::bf16, true);
  const ParameterList list{{"matrix", &matrix}, {"kernel", &kernel}, {"half", &half}};
  for (double beta1 : {0.0, 0.9}) {
    AdafactorSettings settings;
    settings.beta1 = beta1;
    const Adafactor optimizer(list, settings);
    int64_t bytes = 0;
    for (const NamedTensor& each : optimizer.state_dict())
      if (each.name != "step" && each.name != "learning_rate")
        bytes += each.tensor.numel() * size_of(each.tensor.dtype());
    CHECK(bytes == Adafactor::state_bytes(list, settings));
    CHECK(bytes == 4 * (300 + 200 + 4 * 6 * (3 + 5) + 9) + (beta1 > 0 ? 4 * (60000 + 360 + 9) : 0));
  }
}

TEST_CASE("Adafactor: a skipped step changes no bit, not even when gradients are NaN in the first") {
  Weights weights;
  Adafactor optimizer(weights.list(), {.weight_decay = 0.1, .beta1 = 0.9, .scale_parameter = true});
  const auto all = [&] {
    std::string bits = weights.bits();
    for (const NamedTensor& each : optimizer.state_dict()) bits += bits_of(each.tensor.contiguous());
    return bits;
  };
  const std::string before = all();
  give_gradients(weights, 1);
  weights.b.grad().fill_(std::nan(""));
  const Tensor norm = grad_norm(optimizer.arena());
  optimizer.step(not_finite(norm));
  CHECK(all() == before);
  Weights other;
  Adafactor plain(other.list(), {.weight_decay = 0.1, .beta1 = 0.9, .scale_parameter = true});
  for (uint64_t step = 2; step < 5; ++step) {
    optimizer.zero_grad();
    give_gradients(weights, step);
    optimizer.step(not_finite(grad_norm(optimizer.arena())));
    take_step(other, plain, step);
  }
  CHECK(weights.bits() == other.bits());
  CHECK(weights.bits() != before);
}

TEST_CASE("Adafactor: leaves gradients alone, and parameters that have none") {
  Weights weights;
  Adafactor optimizer(weights.list());
  backward(weights.b.variable(), {.grad = random_tensor({7}, 4, DType::f32)});
  backward(weights.c.variable(), {.grad = random_tensor({3, 5, 3, 2}, 5, DType::f32)});
  const std::string grad = bits_of(weights.c.grad()), a = bits_of(weights.a.value()), c = bits_of(weights.c.value());
  optimizer.step();
  CHECK(bits_of(weights.c.grad()) == grad);
  CHECK(bits_of(weights.a.value()) == a);
  CHECK(bits_of(weights.c.value()) != c);
}

TEST_CASE("Adafactor: masters take the step in f32, values are their rounding; without masters values take it") {
  Weights exact, with, without;
  for (const auto& [name, parameter] : with.list()) parameter->to_dtype(DType::bf16, true);
  for (const auto& [name, parameter] : without.list()) parameter->to_dtype(DType::bf16, false);
  const AdafactorSettings settings{.learning_rate = 0.05, .weight_decay = 0.1};
  Adafactor first(exact.list(), settings), second(with.list(), settings), third(without.list(), settings);
  for (uint64_t step = 0; step < 4; ++step) {
    for (Optimizer* each :
         {static_cast<Optimizer*>(&first), static_cast<Optimizer*>(&second), static_cast<Optimizer*>(&third)})
      each->zero_grad();
    // The same gradients for all, exact in 16 bits.
    for (size_t i = 0; i < 3; ++i) {
      const Tensor grad = random_tensor(exact.list()[i].parameter->shape(), 10 * step + i, DType::bf16);
      backward(exact.list()[i].parameter->variable(), {.grad = grad.to(DType::f32)});
      backward(with.list()[i].parameter->variable(), {.grad = grad});
      backward(without.list()[i].parameter->variable(), {.grad = grad});
    }
    first.step(), second.step(), third.step();
  }
  for (size_t i = 0; i < 3; ++i) {
    const Parameter& master = *with.list()[i].parameter;
    CHECK(bits_of(master.master()) == bits_of(exact.list()[i].parameter->value()));
    CHECK(bits_of(master.value()) == bits_of(master.master().to(DType::bf16)));
    CHECK(worst(without.list()[i].parameter->value(), exact.list()[i].parameter->value()) < 0.03);
    CHECK(worst(without.list()[i].parameter->value(), exact.list()[i].parameter->value()) > 0);
  }
}

TEST_CASE("Adafactor: state saved and loaded continues bit for bit") {
  for (double beta1 : {0.0, 0.9}) {
    Weights first, second;
    const AdafactorSettings settings{.learning_rate = 0.02, .beta1 = beta1};
    Adafactor one(first.list(), settings);
    for (uint64_t step = 0; step < 3; ++step) take_step(first, one, step);
    for (size_t i = 0; i < 3; ++i) second.list()[i].parameter->assign(first.list()[i].parameter->value());
    Adafactor two(second.list(), {.learning_rate = 0.5, .beta1 = beta1});
    two.load_state_dict(one.state_dict());
    CHECK(two.learning_rate() == 0.02);
    for (uint64_t step = 3; step < 6; ++step) take_step(first, one, step), take_step(second, two, step);
    CHECK(first.bits() == second.bits());
    StateDict broken = one.state_dict();
    broken.pop_back();
    CHECK_THROWS_WITH_AS(two.load_state_dict(broken),
                         "optimiser state: names and shapes must match; 1 missing: exp_avg_sq.b", ValueError);
  }
}

TEST_CASE("Adafactor: same bits for any number of threads") {
  const int before = num_threads();
  std::string bits[3];
  const int threads[3] = {1, 2, 8};
  for (int i = 0; i < 3; ++i) {
    set_num_threads(threads[i]);
    Parameter large(random_tensor({233, 301}, 5, DType::f32));
    Adafactor optimizer({{"large", &large}}, {.scale_parameter = true});
    for (uint64_t step = 0; step < 3; ++step) {
      optimizer.zero_grad();
      backward(large.variable(), {.grad = random_tensor({233, 301}, 20 + step, DType::f32)});
      optimizer.step();
    }
    bits[i] = bits_of(large.value());
  }
  set_num_threads(before);
  CHECK(bits[0] == bits[1]);
  CHECK(bits[0] == bits[2]);
}

TEST_CASE("Adafactor: refuses settings outside their range") {
  Weights weights;
  CHECK_THROWS_WITH_AS(Adafactor(weights.list(), {.beta1 = 1}), "Adafactor: beta1 must be in [0, 1) (1)", ValueError);
  CHECK_THROWS_WITH_AS(Adafactor(weights.list(), {.decay_rate = 0.8}), "Adafactor: decay_rate must be negative (0.8)",
                       ValueError);
  CHECK_THROWS_WITH_AS(Adafactor(weights.list(), {.clip_threshold = 0}),
                       "Adafactor: clip_threshold must be positive (0)", ValueError);
  CHECK_THROWS_WITH_AS(Adafactor(weights.list(), {.weight_decay = -1}),
                       "Adafactor: weight_decay must be in [0, inf) (-1)", ValueError);
}
