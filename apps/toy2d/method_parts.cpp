#include "apps/toy2d/method_parts.h"

#include "align/downgrade/downgrade.h"
#include "autograd/grad_mode.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "engine/require.h"

namespace plumb::toy2d {
namespace {

/// TF-CPP with its branches exchanged: tw = initial(xw_t, t, c-), tl = initial(xl_t, t, c).
class SwappedPair final : public PolicyPair {
 public:
  explicit SwappedPair(Denoiser& initial) : initial_(initial) {}

  Tensor targets(const NoisedPairs& batch, const Tensor&) override {
    NoGrad no_grad;
    const Condition plain = batch.condition.rows(0, batch.pairs());
    return initial_.predict(batch.x, batch.t.to(DType::f32), Condition::cat(batch.negative, plain)).value();
  }

 private:
  Denoiser& initial_;
};

/// The class opposite each label, which is no neighbour of it.
Tensor unrelated_labels(const Tensor& labels, int64_t classes) {
  require<ValueError>(classes >= 4, "toy2d: an unrelated c- needs at least 4 classes (got {})", classes);
  Tensor result = labels.device().is_cpu() ? labels.clone() : labels.to(kCpu);
  for (int64_t i = 0; i < result.numel(); ++i)
    result.mutable_data<int64_t>()[i] = (result.data<int64_t>()[i] + classes / 2) % classes;
  return result.to(labels.device());
}

/// Another prompt's winner comes from the whole set, not from the batch, which may hold one prompt only.
PreferencePairs with_other_losers(PairKind kind, const PreferencePairs& pairs, const RandomKey& key) {
  if (kind == PairKind::paired || kind == PairKind::downgraded) return pairs;
  const Tensor other = draw_other_prompts(pairs.condition.labels, key);
  return kind == PairKind::rand_positive ? rand_positive_pairs(pairs, other) : not_paired_pairs(pairs, other);
}

}  // namespace

std::unique_ptr<PolicyPair> make_policy(const Method& method, const FinetuneStart& start) {
  switch (method.policy) {
    case PolicyKind::training_free:
      return make_training_free_pair();
    case PolicyKind::training_free_swapped:
      return std::make_unique<SwappedPair>(start.reference);
    case PolicyKind::data_driven:
      return make_data_driven_pair(start.reference, start.schedule, start.pairs, start.key.fork("data-driven pair"),
                                   method.adapters);
    case PolicyKind::oracle:
      return make_oracle_pair(start.world, start.schedule);
    case PolicyKind::forward_process:
      break;
  }
  return make_forward_process_pair();
}

PreferenceTrainerOptions trainer_options(const Method& method, const FinetuneStart& start) {
  PreferenceTrainerOptions options{
      .timesteps = method.timesteps, .reward_scale = method.reward_scale, .reference_update = method.reference_update};
  // The toy sums over its two dimensions, in the divergence as well.
  if (options.reference_update) options.reference_update->divergence.reduction = Reduction::sum;
  if (method.pairs == PairKind::downgraded) options.transform = Downgrade({.data_set = start.pairs.winners});
  return options;
}

PreferencePairs draw_pairs(const Method& method, const FinetuneStart& start, const RandomKey& key) {
  const Tensor index = randint(key.fork("pair"), 0, start.pairs.size(), {method.pairs_per_step});
  PreferencePairs batch = with_other_losers(method.pairs, start.pairs, key.fork("other")).take(index);
  if (method.negative == NegativeKind::same) batch.negative = batch.condition;
  if (method.negative == NegativeKind::unrelated)
    batch.negative = {.labels = unrelated_labels(batch.condition.labels, start.world.classes())};
  return batch;
}

}  // namespace plumb::toy2d
