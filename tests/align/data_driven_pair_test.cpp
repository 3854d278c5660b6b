#include "align/data_driven_pair.h"

#include <doctest/doctest.h>

#include <cmath>
#include <thread>

#include "engine/error.h"
#include "engine/ops.h"
#include "nn/adapter.h"
#include "nn/lora/merge.h"
#include "nn/state_dict.h"
#include "tests/support/numeric.h"
#include "tests/support/point_pairs.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// Enough for a small network to learn something.
const DataDrivenOptions kQuick{.learning_rate = 3e-3, .steps = 120, .batch = 32};

std::string weights_of(Module& module, Include include = Include::base) {
  std::string bits;
  for (const NamedTensor& named : state_dict(module, include)) bits += bits_of(named.tensor);
  return bits;
}

NoisedPairs noised(const PointPairs& pairs) {
  return noise_pairs(pairs.schedule, Prediction::epsilon, pairs.batch,
                     {.t = pairs.t, .noise = pairs.noise, .loser_noise = pairs.loser_noise});
}

/// Mean squared error of the rows [begin, end).
double error_of(const Tensor& prediction, const NoisedPairs& batch, int64_t begin, int64_t end) {
  const Tensor difference = sub(slice(prediction, 0, begin, end), slice(batch.target, 0, begin, end));
  return mean(mul(difference, difference)).to(DType::f64).item<double>();
}

}  // namespace

TEST_CASE("data-driven policy pair: each adapter lowers the denoising loss on its own side") {
  const PointPairs pairs(300);
  const PointDenoiser initial = small_denoiser(2);
  const auto policy = make_data_driven_pair(initial, pairs.schedule, pairs.batch, {.seed = 5}, kQuick);
  CHECK_FALSE(policy->reads_initial_prediction());
  const NoisedPairs batch = noised(pairs);
  const int64_t b = batch.pairs();
  const Tensor t = batch.t.to(DType::f32);
  const auto predict = [&](const char* adapter) {
    const AdapterScope scope(policy->network(), adapter);
    return policy->network().predict(batch.x, t, batch.condition).value();
  };
  const Tensor base = predict("none"), winner = predict("winner"), loser = predict("loser");
  CHECK(error_of(winner, batch, 0, b) < 0.9 * error_of(base, batch, 0, b));
  CHECK(error_of(loser, batch, b, 2 * b) < 0.9 * error_of(base, batch, b, 2 * b));
  // Each is better at home than the other, which saw the neighbouring class under the same condition.
  CHECK(error_of(winner, batch, 0, b) < error_of(loser, batch, 0, b));
  CHECK(error_of(loser, batch, b, 2 * b) < error_of(winner, batch, b, 2 * b));
}

TEST_CASE("data-driven policy pair: tw and tl are the adapters' predictions at (xw, c) and (xl, c)") {
  PointPairs pairs(9);
  const PointDenoiser initial = small_denoiser(2);
  const auto policy = make_data_driven_pair(initial, pairs.schedule, pairs.batch, {.seed = 5}, kQuick);
  NoisedPairs batch = noised(pairs);
  const Tensor targets = policy->targets(batch, {});
  REQUIRE(targets.shape() == Shape{18, 2});
  // By hand, with the adapter merged into a copy, point by point.
  for (const char* adapter : {"winner", "loser"}) {
    const auto merged = clone(policy->network());
    merge_adapter(*merged, adapter);
    const int64_t begin = adapter == std::string("winner") ? 0 : 9;
    for (int64_t i = 0; i < 9; ++i) {
      const Condition c{.labels = slice(pairs.batch.condition.labels, 0, i, i + 1)};
      const Tensor by_hand =
          merged->predict(slice(batch.x, 0, begin + i, begin + i + 1), slice(pairs.t, 0, i, i + 1).to(DType::f32), c)
              .value();
      CHECK(worst_error(slice(targets, 0, begin + i, begin + i + 1), by_hand.to(DType::f64).to_vector<double>()) <=
            1e-5);
    }
  }
  // c- takes no part, and nothing is left active or trainable.
  batch.negative = {};
  CHECK(bits_of(policy->targets(batch, {})) == bits_of(targets));
  for (const AdaptableLayer& layer : adaptable_layers(policy->network())) CHECK_FALSE(layer.adapters->active());
  CHECK(trainable(parameters(policy->network())).empty());
}

TEST_CASE("data-driven policy pair: the base is untouched bit for bit, in the initial model and in the pair's clone") {
  const PointPairs pairs(12);
  PointDenoiser initial = small_denoiser(2);
  const std::string before = weights_of(initial);
  const auto policy = make_data_driven_pair(initial, pairs.schedule, pairs.batch, {.seed = 5}, kQuick);
  CHECK(weights_of(initial) == before);
  CHECK(weights_of(policy->network()) == before);
  CHECK(state_dict(initial, Include::adapters).empty());
  CHECK(trainable(parameters(initial)).size() == parameters(initial).size());
  CHECK(parameters(policy->network(), Include::adapters).size() == 2 * 2 * 3);
}

TEST_CASE("data-driven policy pair: untrained it is the initial model with c on both sides") {
  const PointPairs pairs(9);
  PointDenoiser initial = small_denoiser(2);
  const auto policy = make_data_driven_pair(initial, pairs.schedule, pairs.batch, {.seed = 5}, {.steps = 0});
  const NoisedPairs batch = noised(pairs);
  const Tensor expected = initial.predict(batch.x, batch.t.to(DType::f32), batch.condition).value();
  CHECK(worst_error(policy->targets(batch, {}), expected.to(DType::f64).to_vector<double>()) <= 1e-6);
}

TEST_CASE("data-driven policy pair: a function of the key alone, also when several are made at once") {
  const PointPairs pairs(12);
  const PointDenoiser initial = small_denoiser(2);
  const NoisedPairs batch = noised(pairs);
  const auto bits = [&](uint64_t seed) {
    const auto policy = make_data_driven_pair(initial, pairs.schedule, pairs.batch, {.seed = seed}, kQuick);
    return weights_of(policy->network(), Include::adapters) + bits_of(policy->targets(batch, {}));
  };
  const std::string alone = bits(5);
  std::string first, second;
  std::thread one([&] { first = bits(5); }), two([&] { second = bits(6); });
  one.join(), two.join();
  CHECK(first == alone);
  CHECK(second != alone);
}

TEST_CASE("data-driven policy pair: winners and losers share pairs and timesteps, not noise") {
  // With equal winners and losers, the noised points are equal where pair, timestep and noise are.
  PointPairs pairs(12);
  pairs.batch.losers = pairs.batch.winners;
  PointDenoiser inner = small_denoiser(2);
  const RecordingDenoiser initial(inner);
  const auto policy = make_data_driven_pair(initial, pairs.schedule, pairs.batch, {.seed = 5}, {.steps = 2});
  const auto& calls = dynamic_cast<RecordingDenoiser&>(policy->network()).calls;
  REQUIRE(calls.size() == 4);
  for (size_t step = 0; step < 2; ++step) {
    const auto &winner = calls[step], &loser = calls[2 + step];
    CHECK(bits_of(winner.t) == bits_of(loser.t));
    CHECK(bits_of(winner.condition.labels) == bits_of(loser.condition.labels));
    CHECK(bits_of(winner.x) != bits_of(loser.x));
  }
  CHECK(bits_of(calls[0].t) != bits_of(calls[1].t));
  CHECK(bits_of(calls[0].x) != bits_of(calls[1].x));
}

TEST_CASE("data-driven policy pair: bad options, an active adapter and missing adapters are refused") {
  const PointPairs pairs(6);
  PointDenoiser initial = small_denoiser(2);
  const auto refused = [&](const DataDrivenOptions& options) {
    return message_of([&] { make_data_driven_pair(initial, pairs.schedule, pairs.batch, {.seed = 5}, options); });
  };
  CHECK(refused({.steps = -1}) ==
        "data-driven policy pair: steps and max_grad_norm must not be negative, batch positive (-1, 1, 64)");
  CHECK(refused({.batch = 0}).starts_with("data-driven policy pair: steps"));
  CHECK(refused({.rank = 0}) == "adapter: rank must be positive (0); winner");
  CHECK(refused({.targets = {"to_q"}}).starts_with("add_adapters: no layer ends with one of the targets"));
  CHECK(refused({.learning_rate = std::nan("")}) != "");
  const PreferencePairs none = pairs.batch.take(empty({0}, DType::i64));
  CHECK(message_of([&] { make_data_driven_pair(initial, pairs.schedule, none, {.seed = 5}); }) ==
        "data-driven policy pair: the preference set is empty");
  CHECK_THROWS_AS(DataDrivenPair(clone<Denoiser>(initial)), ValueError);
  Generator generator(1);
  add_adapters(initial, "student", generator);
  const AdapterScope scope(initial, "student");
  CHECK(refused({}) ==
        "data-driven policy pair: the initial model must have no active adapter (student, layer "
        "layers.0)");
}
