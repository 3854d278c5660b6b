#include "align/eval/preference_accuracy.h"

#include "align/preference_step.h"
#include "autograd/grad_mode.h"
#include "engine/ops.h"
#include "engine/ops/loss/error_gain.h"
#include "engine/ops/loss/sample_error.h"
#include "engine/ops/random/random.h"
#include "engine/require.h"

namespace plumb {
namespace {

Tensor predict(const PreferenceJudge& judge, const NoisedPairs& noised) {
  return judge.network->predict(noised.x, noised.time, Condition::cat(judge.condition, judge.condition)).value();
}

}  // namespace

std::vector<double> preference_margins(const PreferenceJudge& model, const PreferenceJudge* reference,
                                       const JudgedPairs& pairs, int64_t t, const RandomKey& key) {
  const NoGrad no_grad;
  const Tensor& winners = pairs.winners;
  const Tensor noise = randn(key.fork("noise").at_step(uint64_t(t)).at_sample(uint64_t(pairs.first)), winners.shape(),
                             winners.dtype(), winners.device());
  const PairDraw draw{.t = full({winners.size(0)}, double(t), DType::i64, winners.device()), .noise = noise};
  const NoisedPairs noised =
      noise_pairs(*pairs.schedule, pairs.prediction, {winners, pairs.losers, model.condition, {}}, draw);
  const Tensor pred = predict(model, noised);
  const Tensor error = reference ? error_gain(pred, predict(*reference, noised), noised.target)
                                 : sample_error(pred, noised.target, Reduction::mean);
  const std::vector<double> errors = error.to_vector<double>();
  std::vector<double> margins;
  for (size_t i = 0; i < errors.size() / 2; ++i) margins.push_back(errors[i] - errors[errors.size() / 2 + i]);
  return margins;
}

std::vector<int64_t> judged_timesteps(int64_t num_train_timesteps, int64_t bins, int64_t draws) {
  require<ValueError>(bins >= 1 && draws >= 1 && bins * draws <= num_train_timesteps,
                      "preference accuracy: bins times draws must be 1 to {} timesteps ({} times {})",
                      num_train_timesteps, bins, draws);
  std::vector<int64_t> timesteps;
  for (int64_t i = 0; i < bins * draws; ++i)
    timesteps.push_back((2 * i + 1) * num_train_timesteps / (2 * bins * draws));
  return timesteps;
}

}  // namespace plumb
