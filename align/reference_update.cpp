#include "align/reference_update.h"

#include <cmath>
#include <limits>

#include "engine/format.h"
#include "engine/require.h"

namespace plumb {

ReferenceTest reference_test_from_name(std::string_view name) {
  if (name == "current") return ReferenceTest::current;
  if (name == "candidate") return ReferenceTest::candidate;
  raise<ValueError>("reference update: test must be current or candidate ({})", name);
}

ReferencePolicy reference_policy_from_name(std::string_view name) {
  if (name == "freeze") return ReferencePolicy::freeze;
  if (name == "reinit") return ReferencePolicy::reinit;
  raise<ValueError>("reference update: policy must be freeze or reinit ({})", name);
}

ReferenceUpdate::ReferenceUpdate(const ReferenceUpdateOptions& options, Denoiser& student, Denoiser& initial,
                                 const NoiseSchedule& schedule, MovingReference moving)
    : options_(options), student_(student), initial_(initial), schedule_(schedule), moving_(std::move(moving)) {
  require<ValueError>(options.tau >= 0, "reference update: tau must not be negative ({})", options.tau);
  require<ValueError>(!std::isnan(options.delta), "reference update: delta must be a number ({})", options.delta);
  if (options.tau == 0) return;
  if (!moving_.model) {
    copy_ = clone(student);
    moving_ = {copy_.get(), parameters(student), parameters(*copy_)};
  }
  require<ValueError>(moving_.source.size() == moving_.destination.size(),
                      "reference update: the student has {} weights, the reference {}", moving_.source.size(),
                      moving_.destination.size());
  for (size_t i = 0; i < moving_.source.size(); ++i)
    require<ValueError>(moving_.source[i].parameter->shape() == moving_.destination[i].parameter->shape(),
                        "reference update: weights must match; {} is {}, {} is {}", moving_.source[i].name,
                        moving_.source[i].parameter->shape(), moving_.destination[i].name,
                        moving_.destination[i].parameter->shape());
}

void ReferenceUpdate::adopt() {
  for (size_t i = 0; i < moving_.source.size(); ++i)
    moving_.destination[i].parameter->assign(moving_.source[i].parameter->weight());
  moved_ = true;
}

bool ReferenceUpdate::after_step(const PreferencePairs& batch, const RandomKey& key) {
  ++steps_;
  if (options_.tau == 0 || frozen_ || steps_ % options_.tau != 0) return false;
  Denoiser& tested = options_.test == ReferenceTest::current ? reference() : student_;
  // The initial model is at 0 from itself.
  divergence_ =
      &tested == &initial_ ? 0 : plumb::divergence(tested, initial_, schedule_, batch, key, options_.divergence);
  if (*divergence_ <= options_.delta)
    adopt();
  else if (options_.policy == ReferencePolicy::freeze)
    frozen_ = true;
  else
    moved_ = false;
  return true;
}

StateDict ReferenceUpdate::state_dict() const {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  StateDict state{
      {"reference_update.state",
       from_vector<double>({double(steps_), double(moved_), double(frozen_), divergence_.value_or(kNone)}, {4})}};
  for (const NamedParameter& named : moving_.destination)
    state.push_back({"reference." + named.name, named.parameter->weight()});
  return state;
}

void ReferenceUpdate::load_state_dict(const StateDict& state) {
  StateDict fresh = state_dict();
  for (size_t i = 1; i < fresh.size(); ++i) fresh[i].tensor = fresh[i].tensor.clone();
  load_tensors("reference update state", fresh, state);
  for (size_t i = 0; i < moving_.destination.size(); ++i) moving_.destination[i].parameter->assign(fresh[i + 1].tensor);
  const std::vector<double> numbers = fresh[0].tensor.to_vector<double>();
  steps_ = int64_t(numbers[0]), moved_ = numbers[1] != 0, frozen_ = numbers[2] != 0;
  divergence_.reset();
  if (!std::isnan(numbers[3])) divergence_ = numbers[3];
}

}  // namespace plumb
