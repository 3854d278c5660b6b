#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "align/divergence.h"
#include "nn/state_dict.h"
#include "nn/visitors.h"

namespace plumb {

/// Whose divergence is tested against delta.
///   current     the reference in force: adopt, until it exceeds delta; it comes to rest just above
///   candidate   the student about to be adopted: the reference stays below
enum class ReferenceTest { current, candidate };
/// What happens when the test fails.
///   freeze   the reference in force stays for good
///   reinit   the initial model becomes the reference again; the student is not touched
enum class ReferencePolicy { freeze, reinit };

/// "current", "candidate" / "freeze", "reinit". Throw ValueError listing them.
ReferenceTest reference_test_from_name(std::string_view name);
ReferencePolicy reference_policy_from_name(std::string_view name);

struct ReferenceUpdateOptions {
  int64_t tau = 32;      ///< optimiser steps between updates; 0 is infinity: the reference stays the initial model
  double delta = 0.005;  ///< bound on the divergence (SD1.5; 0.002 for SDXL)
  ReferenceTest test = ReferenceTest::current;
  ReferencePolicy policy = ReferencePolicy::freeze;
  DivergenceOptions divergence = {};
};

/// Where a moving reference lives when it is not a copy of the student: with LoRA, the same network under an adapter of
/// its own, so that the adapters alone are copied.
struct MovingReference {
  Denoiser* model = nullptr;       ///< predicts with `destination`
  ParameterList source = {};       ///< the student's trained weights
  ParameterList destination = {};  ///< theirs in the reference, in the same order
};

/// Lets the reference follow the student under a bound on its divergence from the initial model: every tau optimiser
/// steps the student becomes the reference.                                     [the Rethinking DPO paper, Sec. 3]
/// While the reference is the initial model, reference() is that object itself, so that forwards can be shared.
class ReferenceUpdate {
 public:
  /// `student`, `initial` and `schedule` must outlive it. Without `moving` the reference is a deep copy of the student
  /// (a third set of weights). Throws ValueError for tau < 0, a delta that is not a number, or lists that do not match.
  ReferenceUpdate(const ReferenceUpdateOptions& options, Denoiser& student, Denoiser& initial,
                  const NoiseSchedule& schedule, MovingReference moving = {});

  /// Call after each optimiser step with its batch and a key of its own. At multiples of tau measures D and adopts,
  /// freezes or reinitialises. Returns whether this was such a step.
  bool after_step(const PreferencePairs& batch, const RandomKey& key);

  /// In force now.
  Denoiser& reference() { return moved_ ? *moving_.model : initial_; }
  bool moved() const { return moved_; }
  bool frozen() const { return frozen_; }
  int64_t steps() const { return steps_; }
  /// D of the last test: of the reference in force before it, or of the candidate. Empty before the first.
  std::optional<double> divergence() const { return divergence_; }

  /// For resuming: the reference's weights under "reference.NAME", and "reference_update.state" (f64 [4]: steps, moved,
  /// frozen, D). Shares memory of weights.
  StateDict state_dict() const;
  /// Strict. Throws ValueError listing what does not fit.
  void load_state_dict(const StateDict& state);

 private:
  void adopt();

  ReferenceUpdateOptions options_;
  Denoiser& student_;
  Denoiser& initial_;
  const NoiseSchedule& schedule_;
  std::unique_ptr<Denoiser> copy_;
  MovingReference moving_;
  int64_t steps_ = 0;
  bool moved_ = false, frozen_ = false;
  std::optional<double> divergence_;
};

}  // namespace plumb
