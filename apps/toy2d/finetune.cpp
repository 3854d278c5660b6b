#include "apps/toy2d/finetune.h"

#include <cmath>

#include "align/preference_step.h"
#include "autograd/backward.h"
#include "engine/format.h"
#include "engine/ops/random/random.h"
#include "engine/require.h"
#include "nn/optim/adam.h"
#include "nn/optim/clip.h"
#include "nn/visitors.h"

namespace plumb::toy2d {
namespace {

/// The objective of a method. The toy's logit has no 1/2 and sums over the two dimensions.
std::unique_ptr<Objective> toy_objective(const Method& method) {
  ObjectiveSettings settings{{"reduction", "sum"}};
  if (method.objective != "sft") settings.emplace_back("beta", fmt::format("{}", 2 * method.beta));
  return make_objective(method.objective, settings);
}

std::unique_ptr<PolicyPair> toy_policy(const Method& method, const FinetuneStart& start) {
  switch (method.policy) {
    case PolicyKind::training_free:
      return make_training_free_pair(start.reference);
    case PolicyKind::oracle:
      return make_oracle_pair(start.world, start.schedule);
    case PolicyKind::forward_process:
      break;
  }
  return make_forward_process_pair();
}

PreferencePairs draw_pairs(const Method& method, const PreferencePairs& pairs, const RandomKey& key) {
  const Tensor index = randint(key.fork("pair"), 0, pairs.size(), {method.pairs_per_step});
  if (method.pairs == PairKind::paired) return pairs.take(index);
  // Another prompt's winner comes from the whole set, not from the batch, which may hold one prompt only.
  const Tensor labels = pairs.condition.labels;
  const PreferencePairs others = method.pairs == PairKind::rand_positive
                                     ? rand_positive_pairs(pairs, draw_other_prompts(labels, key.fork("other")))
                                     : not_paired_pairs(pairs, draw_other_prompts(labels, key.fork("other")));
  return others.take(index);
}

}  // namespace

std::unique_ptr<PointDenoiser> finetune(const Method& method, const FinetuneStart& start,
                                        const FinetuneObserver& observer) {
  std::unique_ptr<PointDenoiser> student = clone(start.reference);
  const std::unique_ptr<Objective> objective = toy_objective(method);
  const std::unique_ptr<PolicyPair> policy = toy_policy(method, start);
  Adam adam(parameters(*student), {.learning_rate = method.learning_rate});
  const PreferenceStep forward{.student = student.get(),
                               .reference = &start.reference,
                               .initial = &start.reference,
                               .objective = objective.get(),
                               .policy = policy.get(),
                               .schedule = &start.schedule};
  for (int64_t step = 0; step < method.steps; ++step) {
    const RandomKey key = start.key.at_step(uint64_t(step));
    const PreferencePairs batch = draw_pairs(method, start.pairs, key);
    const Tensor t = randint(key.fork("t"), 0, start.schedule.num_train_timesteps(), {batch.size()});
    adam.zero_grad();
    const ObjectiveOutput output = forward(batch, t, randn(key.fork("noise"), batch.winners.shape()));
    backward(output.loss);
    const double norm = grad_norm(adam.arena()).item();
    adam.step();
    const StepStatistics statistics = step_statistics(output);
    require<NumericError>(std::isfinite(statistics.loss) && std::isfinite(norm),
                          "toy2d: {} stopped at step {}: loss {}, gradient norm {}", method.name, step + 1,
                          statistics.loss, norm);
    if (observer.call) observer.call(observer.context, step + 1, norm, statistics, *student);
  }
  return student;
}

}  // namespace plumb::toy2d
