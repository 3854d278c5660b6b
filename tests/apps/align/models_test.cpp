#include "apps/align/models.h"

#include <doctest/doctest.h>

#include <cmath>

#include "apps/align/aligner.h"
#include "apps/common/exit_codes.h"
#include "engine/ops/random/random.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

PointModel small_model(Prediction prediction = Prediction::epsilon, int64_t classes = 3) {
  Generator generator(3);
  return {std::make_unique<PointDenoiser>(PointDenoiserOptions{.classes = classes, .hidden = 8, .hidden_layers = 2},
                                          generator),
          {.num_train_timesteps = 20, .beta_start = 1e-3, .beta_end = 0.2},
          prediction};
}

PreferencePairs some_pairs(int64_t count = 6) {
  const RandomKey key{.seed = 5};
  return {.winners = randn(key.fork("w"), {count, 2}),
          .losers = randn(key.fork("l"), {count, 2}),
          .condition = {.labels = randint(key.fork("c"), 0, 3, {count})},
          .negative = {.labels = randint(key.fork("n"), 0, 3, {count})}};
}

std::string prediction_bits(Denoiser& model) {
  const Tensor x = randn(RandomKey{.seed = 9}, {5, 2});
  return bits_of(model.predict(x, full({5}, 7.0), {.labels = full({5}, 1.0, DType::i64)}).value());
}

void move(const ParameterList& parameters, double by) {
  for (const NamedParameter& named : parameters) {
    Tensor moved = named.parameter->value().clone();
    for (int64_t i = 0; i < moved.numel(); ++i) moved.mutable_data<float>()[i] += float(by);
    named.parameter->assign(moved);
  }
}

}  // namespace

TEST_CASE("align models: student and initial model begin equal, and only the student moves") {
  for (const bool lora : {false, true}) {
    CAPTURE(lora);
    PointModel model = small_model();
    const std::string before = prediction_bits(*model.network);
    AlignModels models(std::move(model), {.use_lora = lora}, some_pairs(), RandomKey{.seed = 1});
    CHECK(prediction_bits(models.student()) == before);
    CHECK(prediction_bits(models.initial()) == before);
    move(models.trained(), 0.1);
    CHECK(prediction_bits(models.student()) != before);
    CHECK(prediction_bits(models.initial()) == before);
  }
}

TEST_CASE("align models: with LoRA the adapters alone are trained, and the moving reference has adapters of its own") {
  AlignModels models(small_model(), {.use_lora = true, .adapter = {.rank = 2}, .moving_reference = true}, some_pairs(),
                     RandomKey{.seed = 1});
  // Layers 66 -> 8 -> 8 -> 2.
  CHECK(count(models.trained()) == 2 * (66 + 8 + 8 + 8 + 8 + 2));
  const MovingReference moving = models.moving();
  REQUIRE(moving.model);
  REQUIRE(moving.source.size() == 6);
  REQUIRE(moving.destination.size() == 6);
  for (size_t i = 0; i < 6; ++i) {
    CHECK(moving.source[i].name.find(".student.") != std::string::npos);
    CHECK(moving.destination[i].name.find(".reference.") != std::string::npos);
    CHECK(moving.source[i].parameter->shape() == moving.destination[i].parameter->shape());
    CHECK_FALSE(moving.destination[i].parameter->requires_grad());
  }
  move(models.trained(), 0.1);
  for (size_t i = 0; i < 6; ++i) moving.destination[i].parameter->assign(moving.source[i].parameter->value());
  CHECK(prediction_bits(*moving.model) == prediction_bits(models.student()));
  CHECK(prediction_bits(*moving.model) != prediction_bits(models.initial()));
  CHECK_FALSE(AlignModels(small_model(), {}, some_pairs(), RandomKey{}).moving().model);
}

TEST_CASE("align models: the model that is taken is the student, or with LoRA the base unless merged") {
  for (const bool merged : {false, true}) {
    PointModel model = small_model();
    const std::string before = prediction_bits(*model.network);
    AlignModels models(std::move(model), {.use_lora = true}, some_pairs(), RandomKey{.seed = 1});
    move(models.trained(), 0.05);
    const Tensor x = randn(RandomKey{.seed = 9}, {5, 2});
    const Condition condition{.labels = full({5}, 1.0, DType::i64)};
    const Tensor student = models.student().predict(x, full({5}, 7.0), condition).value();
    const PointModel taken = models.take_model(merged);
    if (!merged) CHECK(prediction_bits(*taken.network) == before);
    if (merged)
      CHECK(worst_error(taken.network->predict(x, full({5}, 7.0), condition).value(), student.to_vector<double>()) <
            1e-5);
    CHECK(taken.schedule.num_train_timesteps == 20);
  }
  AlignModels full_models(small_model(), {}, some_pairs(), RandomKey{});
  move(full_models.trained(), 0.05);
  const std::string student = prediction_bits(full_models.student());
  CHECK(prediction_bits(*full_models.take_model(false).network) == student);
}

TEST_CASE("align models: the oracle is refused to a model it knows nothing of") {
  const AlignModelOptions oracle{.policy = {.name = "oracle"}};
  CHECK_NOTHROW(AlignModels(small_model(), oracle, some_pairs(), RandomKey{}));
  CHECK_THROWS_AS(AlignModels(small_model(Prediction::v_prediction), oracle, some_pairs(), RandomKey{}), UsageError);
  CHECK_THROWS_AS(AlignModels(small_model(), {.policy = {.name = "nothing"}}, some_pairs(), RandomKey{}), ValueError);
}

TEST_CASE("align: spread is the standard deviation within a class, averaged") {
  // Class 0: (0, 0), (2, 4): variances 2 and 8, mean 5. Class 1: (1, 1), (1, 3): 0 and 2, mean 1. Class 2: one point.
  const Tensor x = from_vector<float>({0, 0, 1, 1, 2, 4, 1, 3, 9, 9}, {5, 2});
  const Tensor labels = from_vector<int64_t>({0, 1, 0, 1, 2}, {5});
  CHECK(class_spread(x, labels) == doctest::Approx((std::sqrt(5.0) + 1) / 2).epsilon(1e-12));
  CHECK(class_spread(from_vector<float>({1, 3}, {2, 1}), {}) == doctest::Approx(std::sqrt(2.0)).epsilon(1e-12));
}
