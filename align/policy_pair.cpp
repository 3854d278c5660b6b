#include "align/policy_pair.h"

#include "autograd/grad_mode.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

class ForwardProcessPair final : public PolicyPair {
 public:
  Tensor targets(const NoisedPairs& batch, const Tensor&) override { return batch.target; }
};

class TrainingFreePair final : public PolicyPair {
 public:
  explicit TrainingFreePair(Denoiser& initial) : initial_(initial) {}
  bool reads_initial_prediction() const override { return true; }

  Tensor targets(const NoisedPairs& batch, const Tensor& initial_prediction) override {
    require<ValueError>(batch.negative.labels.defined() || batch.negative.context.defined(),
                        "training-free policy pair: the pairs have no negative condition");
    NoGrad no_grad;
    const int64_t b = batch.pairs();
    const Tensor losing =
        initial_.predict(slice(batch.x, 0, b, 2 * b), slice(batch.t, 0, b, 2 * b).to(DType::f32), batch.negative)
            .value();
    return cat({slice(initial_prediction, 0, 0, b), losing}, 0);
  }

 private:
  Denoiser& initial_;
};

class OraclePair final : public PolicyPair {
 public:
  OraclePair(const Gaussians2d& world, const NoiseSchedule& schedule) : world_(world), schedule_(schedule) {}

  Tensor targets(const NoisedPairs& batch, const Tensor&) override {
    require<ValueError>(batch.condition.labels.defined() && batch.negative.labels.defined(),
                        "oracle policy pair: the pairs need class labels for c and c-");
    const Tensor winning = slice(batch.condition.labels, 0, 0, batch.pairs());
    return world_.clean_noise(schedule_, batch.x, batch.t, cat({winning, batch.negative.labels}, 0));
  }

 private:
  const Gaussians2d& world_;
  const NoiseSchedule& schedule_;
};

}  // namespace

std::unique_ptr<PolicyPair> make_forward_process_pair() { return std::make_unique<ForwardProcessPair>(); }

std::unique_ptr<PolicyPair> make_training_free_pair(Denoiser& initial) {
  return std::make_unique<TrainingFreePair>(initial);
}

std::unique_ptr<PolicyPair> make_oracle_pair(const Gaussians2d& world, const NoiseSchedule& schedule) {
  return std::make_unique<OraclePair>(world, schedule);
}

}  // namespace plumb
