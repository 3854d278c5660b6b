#include "nn/optim/ema.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/error.h"
#include "nn/optim/lr_schedule.h"
#include "tests/support/numeric.h"

using namespace plumb;
using plumb::test::bits_of;
using plumb::test::random_tensor;

namespace {

struct Weights {
  explicit Weights(DType dtype = DType::f32)
      : a(random_tensor({3, 5}, 1, DType::f32)), b(random_tensor({7}, 2, DType::f32)) {
    a.to_dtype(dtype, true), b.to_dtype(dtype, true);
  }
  void change(uint64_t seed) {
    a.assign(random_tensor({3, 5}, seed, DType::f32)), b.assign(random_tensor({7}, seed + 1, DType::f32));
  }
  ParameterList list() { return {{"a", &a}, {"b", &b}}; }
  std::string bits() const {
    return bits_of(a.value()) + bits_of(a.weight()) + bits_of(b.value()) + bits_of(b.weight());
  }
  Parameter a, b;
};

}  // namespace

TEST_CASE("EMA: swapping in and restoring leaves live weights bit for bit, masters included") {
  for (DType dtype : {DType::f32, DType::bf16}) {
    Weights weights(dtype);
    Ema ema(weights.list(), {.decay = 0.9});
    for (uint64_t step = 0; step < 5; ++step) weights.change(10 * step), ema.update();
    const std::string live = weights.bits();
    {
      const EmaScope scope(ema);
      CHECK(weights.bits() != live);
      CHECK_THROWS_WITH_AS(ema.update(), "EMA: weights and averages are swapped; swap back before update", Error);
    }
    CHECK(weights.bits() == live);
  }
}

TEST_CASE("EMA: follows frozen weights, and continues from its saved state") {
  Weights weights;
  weights.b.set_requires_grad(false);
  Ema first(weights.list(), {.decay = 0.9});
  for (uint64_t step = 0; step < 4; ++step) weights.change(step), first.update();
  CHECK(bits_of(first.state_dict()[2].tensor) == bits_of(weights.b.value()));
  CHECK(bits_of(first.state_dict()[1].tensor) != bits_of(weights.a.value()));

  Ema second(weights.list(), {.decay = 0.9});
  second.load_state_dict(first.state_dict());
  CHECK(second.steps() == 4);
  weights.change(99), first.update(), second.update();
  CHECK(bits_of(first.state_dict()[1].tensor) == bits_of(second.state_dict()[1].tensor));
}

TEST_CASE("EMA: refuses nothing to average and decays outside [0, 1]") {
  Weights weights;
  CHECK_THROWS_AS(Ema({}), ValueError);
  CHECK_THROWS_AS(Ema(weights.list(), {.decay = 1.5}), ValueError);
  CHECK_THROWS_AS(Ema(weights.list(), {.decay = std::nan("")}), ValueError);
}

TEST_CASE("lr schedule: cosine comes down to its floor, names round trip, bad settings are refused") {
  const LrSchedule cosine{.kind = LrScheduleKind::cosine, .total_steps = 4000, .final_fraction = 0.02};
  CHECK(lr_factor(0, cosine) == 1);
  CHECK(lr_factor(2000, cosine) == doctest::Approx(0.51).epsilon(1e-12));
  CHECK(lr_factor(4000, cosine) == 0.02);
  for (const char* name :
       {"constant", "constant_with_warmup", "linear", "cosine", "cosine_with_restarts", "polynomial", "inverse_sqrt"})
    CHECK(std::string(name_of(lr_schedule_kind(name))) == name);
  CHECK_THROWS_WITH_AS(lr_schedule_kind("cosin"),
                       "lr schedule: name must be one of constant, constant_with_warmup, linear, cosine, "
                       "cosine_with_restarts, polynomial, inverse_sqrt (cosin)",
                       ValueError);
  CHECK_THROWS_WITH_AS(lr_factor(0, {.kind = LrScheduleKind::linear, .warmup_steps = 5, .total_steps = 5}),
                       "lr schedule: linear needs more steps in all (5) than in the warm-up (5)", ValueError);
  CHECK_THROWS_AS(lr_factor(-1, {}), ValueError);
}
