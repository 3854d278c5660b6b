#include "apps/align/settings.h"

#include <doctest/doctest.h>

#include "align/objective.h"

using namespace plumb;

namespace {

double beta_of(const ObjectiveSettings& settings) {
  for (const auto& [key, value] : settings)
    if (key == "beta") return std::stod(value);
  return -1;
}

}  // namespace

TEST_CASE("align settings: without a beta the published strength is kept") {
  CHECK(beta_of(objective_settings({.name = "diffusion_dpo"}, "forward", 16384)) == doctest::Approx(5000));
  CHECK(beta_of(objective_settings({.name = "diffusion_dpo"}, "forward", 2)) == doctest::Approx(5000.0 * 2 / 16384));
  CHECK(beta_of(objective_settings({.name = "ddspo"}, "training_free", 3072)) == doctest::Approx(3000));
  CHECK(beta_of(objective_settings({.name = "ddspo"}, "data_driven", 3072)) == doctest::Approx(1500));
  CHECK(beta_of(objective_settings({.name = "diffusion_kto"}, "forward", 2)) == doctest::Approx(5000.0 * 2 / 16384));
  // Sums over elements have d times the error: the same strength is that of one element.
  const ObjectiveSettings summed =
      objective_settings({.name = "diffusion_dpo", .set = {{"reduction", "sum"}}}, "forward", 2);
  CHECK(sums_elements(summed));
  CHECK(beta_of(summed) == doctest::Approx(5000.0 / 16384));
  CHECK_FALSE(sums_elements({{"reduction", "mean"}}));
}

TEST_CASE("align settings: a beta that is given wins, and is given once") {
  CHECK(beta_of(objective_settings({.name = "ddspo", .beta = 2.5}, "forward", 2)) == 2.5);
  CHECK(beta_of(objective_settings({.name = "ddspo", .set = {{"beta", "3"}}}, "forward", 2)) == 3);
  CHECK_THROWS_AS(objective_settings({.name = "ddspo", .beta = 1.0, .set = {{"beta", "3"}}}, "forward", 2), UsageError);
  for (const char* name : {"sft", "mapo"}) {
    CHECK(objective_settings({.name = name}, "forward", 2).empty());
    CHECK_THROWS_AS(objective_settings({.name = name, .beta = 1.0}, "forward", 2), UsageError);
  }
  CHECK(objective_settings({.name = "dspo"}, "forward", 2).empty());  // 0.001 is no strength
}

TEST_CASE("align settings: every objective takes what is made for it") {
  for (const ObjectiveEntry& entry : objective_table())
    for (const char* policy : {"forward", "training_free", "oracle", "data_driven"})
      CHECK(make_objective(entry.name, objective_settings({.name = std::string(entry.name)}, policy, 2)));
}

TEST_CASE("align settings: what follows from others") {
  AlignSettings settings;
  settings.batch = 8, settings.accumulation = 4, settings.scale_lr = true;
  settings.optimizer.adam.learning_rate = 1e-6;
  settings.reference.tau = 5;
  settings.models.policy.data_driven.rank = 3;
  resolve(settings);
  CHECK(settings.optimizer.adam.learning_rate == doctest::Approx(3.2e-5).epsilon(1e-12));
  CHECK(settings.trainer.micro_batch == 8);
  CHECK(settings.trainer.max_grad_norm == 1);
  REQUIRE(settings.trainer.reference_update);
  CHECK(settings.trainer.reference_update->tau == 5);
  CHECK(settings.models.moving_reference);
  CHECK(settings.models.policy.data_driven.alpha == 3);
  settings.batch = settings.accumulation = 10'000'000;
  CHECK_THROWS_AS(resolve(settings), UsageError);
}
