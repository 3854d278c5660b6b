#include "align/policy_pair.h"

#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

class ForwardProcessPair final : public PolicyPair {
 public:
  bool is_forward_process() const override { return true; }
  Tensor targets(const NoisedPairs& batch, const Tensor&) override { return batch.target; }
};

class TrainingFreePair final : public PolicyPair {
 public:
  bool reads_initial_prediction() const override { return true; }
  Tensor targets(const NoisedPairs&, const Tensor& initial_prediction) override { return initial_prediction; }
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

std::unique_ptr<PolicyPair> make_training_free_pair() { return std::make_unique<TrainingFreePair>(); }

std::unique_ptr<PolicyPair> make_oracle_pair(const Gaussians2d& world, const NoiseSchedule& schedule) {
  require<ValueError>(!schedule.is_flow(), "oracle policy pair: needs a variance-preserving schedule, not flow");
  return std::make_unique<OraclePair>(world, schedule);
}

}  // namespace plumb
