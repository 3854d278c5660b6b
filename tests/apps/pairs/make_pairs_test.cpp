#include "apps/pairs/make_pairs.h"

#include <doctest/doctest.h>

#include "apps/common/exit_codes.h"
#include "engine/ops.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

PointModel small_model(int64_t classes) {
  Generator generator(3);
  return {std::make_unique<PointDenoiser>(
              PointDenoiserOptions{.dimensions = 3, .classes = classes, .hidden = 8, .hidden_layers = 2}, generator),
          {.num_train_timesteps = 20, .beta_start = 1e-3, .beta_end = 0.2},
          Prediction::v_prediction};
}

}  // namespace

TEST_CASE("pairs: c- is the class after c and the class before it in turn") {
  const PairLabels labels = draw_pair_labels(4, {.pairs_per_class = 3}, RandomKey{});
  CHECK(labels.positive.to_vector<int64_t>() == std::vector<int64_t>{0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3});
  CHECK(labels.negative.to_vector<int64_t>() == std::vector<int64_t>{1, 3, 1, 2, 0, 2, 3, 1, 3, 0, 2, 0});
  CHECK_THROWS_AS(draw_pair_labels(1, {}, RandomKey{}), ValueError);
  CHECK_THROWS_AS(draw_pair_labels(100, {.pairs_per_class = 1'000'000}, RandomKey{}), ValueError);
}

TEST_CASE("pairs: a random c- is any other class") {
  const PairLabels labels = draw_pair_labels(4, {.pairs_per_class = 300, .negative = "random"}, RandomKey{.seed = 2});
  std::vector<int64_t> seen(16, 0);
  for (int64_t i = 0; i < labels.positive.numel(); ++i)
    ++seen[size_t(labels.positive.data<int64_t>()[i] * 4 + labels.negative.data<int64_t>()[i])];
  for (int64_t c = 0; c < 4; ++c)
    for (int64_t n = 0; n < 4; ++n) {
      const int64_t times = seen[size_t(c * 4 + n)];
      CHECK((c == n ? times == 0 : times > 60 && times < 140));  // 100 each, five deviations
    }
}

TEST_CASE("pairs: those of the world lie at their modes") {
  PairSettings settings{.pairs_per_class = 50};
  settings.world.sigma = 0.01;
  const PreferencePairs pairs = world_pairs(settings, RandomKey{.seed = 4});
  const Gaussians2d world(settings.world);
  CHECK(pairs.size() == 300);
  for (int64_t i = 0; i < pairs.size(); ++i)
    for (int axis = 0; axis < 2; ++axis) {
      const auto winner = world.center(pairs.condition.labels.data<int64_t>()[i]);
      const auto loser = world.center(pairs.negative.labels.data<int64_t>()[i]);
      CHECK(std::abs(pairs.winners.data<float>()[2 * i + axis] - winner[size_t(axis)]) < 0.06);
      CHECK(std::abs(pairs.losers.data<float>()[2 * i + axis] - loser[size_t(axis)]) < 0.06);
    }
}

TEST_CASE("pairs: those of a model begin in the same noise") {
  PointModel model = small_model(3);
  PairSettings settings{.pairs_per_class = 4, .sampler = {.steps = 5}};
  const PreferencePairs pairs = model_pairs(model, settings, RandomKey{.seed = 1});
  CHECK(pairs.winners.shape() == Shape{12, 3});
  CHECK(bits_of(pairs.winners) != bits_of(pairs.losers));
  const PreferencePairs again = model_pairs(model, settings, RandomKey{.seed = 1});
  CHECK(bits_of(again.winners) == bits_of(pairs.winners));
  CHECK(bits_of(model_pairs(model, settings, RandomKey{.seed = 2}).winners) != bits_of(pairs.winners));
  // A model that does not look at its class makes winners and losers of the same noise equal.
  for (const NamedParameter& named : parameters(*model.network))
    if (named.name == "class_embedding.weight") named.parameter->assign(zeros_like(named.parameter->value()));
  const PreferencePairs blind = model_pairs(model, settings, RandomKey{.seed = 1});
  CHECK(bits_of(blind.winners) == bits_of(blind.losers));
  PointModel without = small_model(0);
  CHECK_THROWS_AS(model_pairs(without, settings, RandomKey{}), UsageError);
}
