// R16: what is not a number, wherever it comes from, is seen in the step in which it comes, and changes nothing.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "align/preference_trainer.h"
#include "autograd/ops.h"
#include "diffusion/unet_denoiser.h"
#include "engine/format.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "nn/optim/adam.h"
#include "nn/visitors.h"
#include "tests/diffusion/pipeline/tiny_pipeline.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

const double kBad[] = {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()};

UNetDenoiser small_unet() {
  Generator generator(11);
  return UNetDenoiser(tiny_unet(), Init(generator));
}

/// Adds nothing to the prediction, but NaN to one weight's gradient: 0 times the root's infinite slope at 0.
class BrokenGradient final : public Denoiser {
 public:
  explicit BrokenGradient(Denoiser& inner) : inner_(&inner) {}
  explicit BrokenGradient(const BrokenGradient&) = default;

  Variable predict(const Variable& x, const Tensor& t, const Condition& condition) override {
    const Variable prediction = inner_->predict(x, t, condition);
    return weight ? prediction + sqrt(sum(Variable(*weight)) * 0.0) * 0.0 : prediction;
  }
  void visit(ModuleVisitor& visitor) override { inner_->visit(visitor); }
  std::unique_ptr<Module> clone_module() const override { return std::make_unique<BrokenGradient>(*this); }

  Parameter* weight = nullptr;

 private:
  Denoiser* inner_;
};

/// A student that has left its initial model, and all that trains it.
struct Training {
  explicit Training(std::string_view name, const ObjectiveSettings& settings = {})
      : student(small_unet()), initial(small_unet()), broken(student), objective(make_objective(name, settings)) {
    for (const NamedParameter& entry : parameters(student)) {
      const Tensor& value = entry.parameter->value();
      entry.parameter->assign(value + randn(RandomKey{5}.fork(entry.name), value.shape(), value.dtype()) * 0.05);
    }
    optimizer = std::make_unique<AdamW>(parameters(student), AdamSettings{.learning_rate = 1e-3});
    const RandomKey key{9};
    const Shape shape = {2, 3, 8, 8};
    pairs = {randn(key.fork("winners"), shape), randn(key.fork("losers"), shape), {}, {}};
    trainer = std::make_unique<PreferenceTrainer>(PreferenceModels{.student = &broken,
                                                                   .initial = &initial,
                                                                   .objective = objective.get(),
                                                                   .policy = policy.get(),
                                                                   .schedule = &schedule,
                                                                   .optimizer = optimizer.get()});
  }

  std::string weight_bits() {
    std::string bits;
    for (const NamedParameter& entry : parameters(student)) bits += bits_of(entry.parameter->value());
    return bits;
  }
  /// Whether a step was seen to be no good, which leaves every weight as it was.
  bool drops(const PreferencePairs& batch) {
    const std::string before = weight_bits();
    const bool seen = PreferenceTrainer::is_dropped(trainer->step(batch, RandomKey{3})).item<bool>();
    CHECK((weight_bits() == before) == seen);
    return seen;
  }

  UNetDenoiser student, initial;
  BrokenGradient broken;
  std::unique_ptr<Objective> objective;
  std::unique_ptr<PolicyPair> policy = make_forward_process_pair();
  std::unique_ptr<Optimizer> optimizer;
  NoiseSchedule schedule{NoiseScheduleOptions{}};
  PreferencePairs pairs;
  std::unique_ptr<PreferenceTrainer> trainer;
};

/// `value` somewhere in a tensor, as a function of its name.
Tensor with_one(const Tensor& tensor, const std::string& name, double value) {
  Tensor changed = tensor.clone();
  const int64_t at = int64_t(RandomKey{1}.fork(name).seed % uint64_t(tensor.numel()));
  changed.mutable_data<float>()[at] = float(value);
  return changed;
}

}  // namespace

TEST_CASE("R16: a number that is none, in weights, gradients, latents or the reference, is seen in its step") {
  int64_t places = 0;
  for (const char* name : {"diffusion_dpo", "sft"}) {
    CAPTURE(name);
    Training run(name);
    const Tensor winners = run.pairs.winners, losers = run.pairs.losers;
    const auto seen = [&](const std::string& place, const PreferencePairs& batch) {
      CAPTURE(place);
      CHECK(run.drops(batch));
      ++places;
    };
    for (const NamedParameter& entry : parameters(run.student)) {
      run.broken.weight = entry.parameter;
      seen("gradient of " + entry.name, run.pairs);
      run.broken.weight = nullptr;
      const Tensor value = entry.parameter->value().clone();
      for (const double bad : kBad) {
        entry.parameter->assign(with_one(value, entry.name, bad));
        seen(entry.name, run.pairs);
      }
      entry.parameter->assign(value);
    }
    for (const double bad : kBad) {
      seen("winners", {with_one(winners, "winners", bad), losers, {}, {}});
      if (!run.objective->uses_losers()) continue;
      seen("losers", {winners, with_one(losers, "losers", bad), {}, {}});
      Parameter& weight = *parameters(run.initial).front().parameter;
      const Tensor value = weight.value().clone();
      weight.assign(with_one(value, "reference", bad));
      seen("reference", run.pairs);
      weight.assign(value);
    }
    CHECK_FALSE(run.drops(run.pairs));  // whole again, it goes on
  }
  CHECK(places > 300);
  MESSAGE("R16: ", places, " places: all seen in their step, all weights kept");
}

TEST_CASE("R16: a strength beyond numbers is seen, one that makes huge logits is not a fault") {
  Training beyond("diffusion_dpo", {{"beta", "1e300"}});
  CHECK(beyond.drops(beyond.pairs));
  Training huge("diffusion_dpo", {{"beta", "1e7"}});
  const PreferenceStepResult result = huge.trainer->step(huge.pairs, RandomKey{3});
  double largest = 0;
  for (const double z : result.output.logit.to_vector<double>()) largest = std::max(largest, std::abs(z));
  CHECK(largest > 1e4);
  CHECK_FALSE(PreferenceTrainer::is_dropped(result).item<bool>());
  // -log sigmoid z: -z of pairs that are ordered wrongly, 0 of the others.
  double expected = 0;
  for (const double z : result.output.logit.to_vector<double>()) expected += std::max(-z, 0.0) / 2;
  CHECK(result.output.loss.value().item() == doctest::Approx(expected).epsilon(1e-5));
}
