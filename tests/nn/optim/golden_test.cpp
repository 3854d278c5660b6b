// Trajectories of torch's optimisers and diffusers' EMA and schedules; see tests/golden/README.md.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "autograd/backward.h"
#include "engine/ops/layout/view.h"
#include "nn/optim/adam.h"
#include "nn/optim/clip.h"
#include "nn/optim/ema.h"
#include "nn/optim/lr_schedule.h"
#include "nn/optim/sgd.h"
#include "tests/support/golden.h"
#include "tests/support/numeric.h"

using namespace plumb;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double number(const Json& options, const char* key, double otherwise) {
  const Json* value = options.find(key);
  return value ? value->as_number() : otherwise;
}
bool flag(const Json& options, const char* key) {
  const Json* value = options.find(key);
  return value && value->as_bool();
}

/// Largest |a - b| / max(1, |b|); infinity on NaN or different sizes.
double worst(const Tensor& actual, const Tensor& expected) {
  const std::vector<double> a = actual.to_vector<double>(), b = expected.to_vector<double>();
  if (a.size() != b.size()) return kInfinity;
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double error = std::abs(a[i] - b[i]) / std::max(1.0, std::abs(b[i]));
    largest = error <= largest ? largest : std::isnan(error) ? kInfinity : error;
  }
  return largest;
}

std::unique_ptr<Optimizer> make(const Json& entry, const ParameterList& list) {
  const Json& options = entry.at("options");
  const std::string& name = entry.at("optimiser").as_string();
  if (name == "sgd")
    return std::make_unique<Sgd>(list, SgdSettings{.learning_rate = number(options, "lr", 0),
                                                   .momentum = number(options, "momentum", 0),
                                                   .weight_decay = number(options, "weight_decay", 0),
                                                   .nesterov = flag(options, "nesterov")});
  AdamSettings settings{.learning_rate = number(options, "lr", 0),
                        .epsilon = number(options, "eps", 1e-8),
                        .weight_decay = number(options, "weight_decay", 0)};
  if (const Json* betas = options.find("betas"))
    settings.beta1 = (*betas)[0].as_number(), settings.beta2 = (*betas)[1].as_number();
  if (name == "adam") return std::make_unique<Adam>(list, settings);
  return std::make_unique<AdamW>(list, settings);
}

}  // namespace

TEST_CASE("optimizer: ten steps of every setting agree with torch") {
  const plumb::test::Golden golden("optim");
  const std::vector<Json> cases = golden.cases("optimiser");
  REQUIRE(cases.size() == 22);
  for (const Json& entry : cases) {
    CAPTURE(entry.at("case").as_string());
    Parameter a(golden.tensor(entry, "a.initial").clone()), b(golden.tensor(entry, "b.initial").clone());
    const ParameterList list{{"a", &a}, {"b", &b}};
    const auto optimizer = make(entry, list);
    double error = 0;
    for (int64_t step = 0; step < 10; ++step) {
      optimizer->zero_grad();
      for (const auto& [name, parameter] : list)
        backward(parameter->variable(), {.grad = select(golden.tensor(entry, name + ".gradients"), 0, step).clone()});
      optimizer->set_learning_rate(entry.at("lr")[size_t(step)].as_number());
      optimizer->step();
      for (const auto& [name, parameter] : list)
        error = std::max(error, worst(parameter->value(), select(golden.tensor(entry, name + ".values"), 0, step)));
    }
    CHECK(error <= (a.dtype() == DType::f64 ? 1e-12 : 1e-6));
  }
}

TEST_CASE("clip: norms and clipped gradients agree with torch") {
  const plumb::test::Golden golden("optim");
  const std::vector<Json> cases = golden.cases("clip");
  REQUIRE(cases.size() == 5);
  for (const Json& entry : cases) {
    CAPTURE(entry.at("case").as_string());
    const Tensor grad_a = golden.tensor(entry, "a.gradient").clone(),
                 grad_b = golden.tensor(entry, "b.gradient").clone();
    Parameter a(zeros_like(grad_a)), b(zeros_like(grad_b));
    ParameterArena arena({{"a", &a}, {"b", &b}});
    backward(a.variable(), {.grad = grad_a});
    backward(b.variable(), {.grad = grad_b});
    CHECK(worst(clip_grad_norm(arena, entry.at("max_norm").as_number()), golden.tensor(entry, "norm")) <= 1e-14);
    CHECK(worst(a.grad(), golden.tensor(entry, "a.clipped")) <= 1e-14);
    CHECK(worst(b.grad(), golden.tensor(entry, "b.clipped")) <= 1e-14);
  }
}

TEST_CASE("EMA: decays and averages agree with diffusers") {
  const plumb::test::Golden golden("optim");
  const std::vector<Json> cases = golden.cases("ema");
  REQUIRE(cases.size() == 5);
  for (const Json& entry : cases) {
    CAPTURE(entry.at("case").as_string());
    const Json& o = entry.at("options");
    const EmaOptions options{.decay = number(o, "decay", 0),
                             .min_decay = number(o, "min_decay", 0),
                             .update_after_step = o.at("update_after_step").as_integer(),
                             .use_ema_warmup = flag(o, "use_ema_warmup"),
                             .inv_gamma = number(o, "inv_gamma", 1),
                             .power = number(o, "power", 0)};
    const std::vector<int64_t> steps = golden.tensor(entry, "decay_steps").to_vector<int64_t>();
    const std::vector<double> decays = golden.tensor(entry, "decays").to_vector<double>();
    for (size_t i = 0; i < steps.size(); ++i) CHECK(std::abs(ema_decay(steps[i], options) - decays[i]) <= 1e-15);

    Parameter weight(golden.tensor(entry, "initial").clone());
    Ema ema({{"w", &weight}}, options);
    double error = 0;
    for (int64_t step = 0; step < 10; ++step) {
      weight.assign(select(golden.tensor(entry, "values"), 0, step));
      ema.update();
      error = std::max(error, worst(ema.state_dict()[1].tensor, select(golden.tensor(entry, "shadows"), 0, step)));
    }
    CHECK(error <= 1e-14);
  }
}

TEST_CASE("lr schedule: rates agree with diffusers") {
  const plumb::test::Golden golden("optim");
  const std::vector<Json> cases = golden.cases("lr");
  REQUIRE(cases.size() == 12);
  for (const Json& entry : cases) {
    CAPTURE(entry.at("case").as_string());
    const Json& o = entry.at("options");
    const double base = entry.at("base").as_number();
    const LrSchedule schedule{.kind = lr_schedule_kind(entry.at("schedule").as_string()),
                              .warmup_steps = int64_t(number(o, "num_warmup_steps", 0)),
                              .total_steps = int64_t(number(o, "num_training_steps", 0)),
                              .final_fraction = number(o, "lr_end", 0) / base,
                              .cycles = number(o, "num_cycles", 0),
                              .power = number(o, "power", 1)};
    const std::vector<double> rates = golden.tensor(entry, "lr").to_vector<double>();
    for (size_t step = 0; step < rates.size(); ++step)
      CHECK(std::abs(base * lr_factor(int64_t(step), schedule) - rates[step]) <= 1e-15);
  }
}
