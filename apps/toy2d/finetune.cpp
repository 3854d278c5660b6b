#include "apps/toy2d/finetune.h"

#include <cmath>

#include "align/preference_trainer.h"
#include "apps/toy2d/method_parts.h"
#include "engine/ops/random/random.h"
#include "engine/require.h"
#include "nn/optim/adam.h"
#include "nn/visitors.h"

namespace plumb::toy2d {

std::unique_ptr<PointDenoiser> finetune(const Method& method, const FinetuneStart& given,
                                        const FinetuneObserver& observer) {
  const PreferencePairs pairs = given.pairs.to(device_of(given.reference));
  const FinetuneStart start{given.world, given.schedule, given.reference, pairs, given.key};
  std::unique_ptr<PointDenoiser> student = clone(start.reference);
  const std::unique_ptr<Objective> objective = make_objective(method.objective, objective_settings(method));
  const std::unique_ptr<PolicyPair> policy = make_policy(method, start);
  Adam adam(parameters(*student), {.learning_rate = method.learning_rate});
  PreferenceTrainer trainer({.student = student.get(),
                             .initial = &start.reference,
                             .objective = objective.get(),
                             .policy = policy.get(),
                             .schedule = &start.schedule,
                             .optimizer = &adam},
                            trainer_options(method, start));
  for (int64_t step = 0; step < method.steps; ++step) {
    const RandomKey key = start.key.at_step(uint64_t(step));
    const StepStatistics statistics = step_statistics(trainer.step(draw_pairs(method, start, key), key));
    const double norm = statistics.grad_norm.value();
    require<NumericError>(std::isfinite(statistics.loss) && std::isfinite(norm),
                          "toy2d: {} stopped at step {}: loss {}, gradient norm {}", method.name, step + 1,
                          statistics.loss, norm);
    if (observer.call) observer.call(observer.context, step + 1, norm, statistics, *student);
  }
  return student;
}

}  // namespace plumb::toy2d
