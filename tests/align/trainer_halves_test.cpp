#include <doctest/doctest.h>

#include <limits>

#include "align/preference_trainer.h"
#include "nn/optim/adam.h"
#include "tests/support/numeric.h"
#include "tests/support/point_pairs.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// A student under training with a moving reference.
struct Setup {
  Setup()
      : student(small_denoiser(1)),
        initial(small_denoiser(1)),
        objective(make_objective("diffusion_dpo", {{"beta", "3"}})),
        policy(make_forward_process_pair()),
        optimizer(parameters(student), {.learning_rate = 1e-2}),
        trainer({.student = &student,
                 .initial = &initial,
                 .objective = objective.get(),
                 .policy = policy.get(),
                 .schedule = &pairs.schedule,
                 .optimizer = &optimizer},
                {.reference_update = ReferenceUpdateOptions{.tau = 2, .delta = 1e9}, .divergence_every = 1}) {}

  /// Everything a checkpoint would hold.
  std::string bits() const {
    std::string all;
    for (const StateDict& state :
         {state_dict(const_cast<PointDenoiser&>(student)), optimizer.state_dict(), trainer.state_dict()})
      for (const NamedTensor& named : state) all += named.name + bits_of(named.tensor);
    return all;
  }

  PointPairs pairs{12};
  PointDenoiser student, initial;
  std::unique_ptr<Objective> objective;
  std::unique_ptr<PolicyPair> policy;
  AdamW optimizer;
  PreferenceTrainer trainer;
};

}  // namespace

TEST_CASE("preference trainer: gradients() changes nothing that is kept, and with apply() it is step()") {
  Setup whole, halves;
  for (uint64_t step = 0; step < 5; ++step) {
    const RandomKey key{.seed = 4, .step = step};
    const PreferenceStepResult expected = whole.trainer.step(whole.pairs.batch, key);
    const std::string before = halves.bits();
    PreferenceStepResult result = halves.trainer.gradients(halves.pairs.batch, key);
    CHECK(halves.bits() == before);
    CHECK_FALSE(result.divergence);
    // What was looked at and dropped leaves no trace.
    halves.trainer.gradients(halves.pairs.batch, RandomKey{.seed = 5, .step = step});
    result = halves.trainer.gradients(halves.pairs.batch, key);
    halves.trainer.apply(result);
    CHECK(halves.bits() == whole.bits());
    CHECK(halves.bits() != before);
    CHECK(result.learning_rate == 1e-2);
    CHECK(*result.divergence == *expected.divergence);
    CHECK(result.reference_divergence == expected.reference_divergence);
    CHECK(result.grad_norm.item() == expected.grad_norm.item());
  }
  CHECK(whole.trainer.reference_update()->moved());
}
