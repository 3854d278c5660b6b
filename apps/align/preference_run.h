#pragma once

#include <optional>

#include "align/timestep_bins.h"
#include "apps/align/settings.h"
#include "apps/common/step_graph.h"
#include "apps/common/training_run.h"
#include "nn/optim/ema.h"

namespace plumb {

/// What steps of preference fine-tuning run on. All outlive the run.
struct PreferenceWork {
  PreferenceTrainer* trainer = nullptr;
  Optimizer* optimizer = nullptr;
  const Objective* objective = nullptr;
  const ObjectiveSettings* objective_settings = nullptr;
  Module* kept = nullptr;  ///< what checkpoints hold
  Ema* ema = nullptr;      ///< of the trained weights, or null
  int64_t num_train_timesteps = 0;
};

/// Preference fine-tuning of any model inside the frame of TrainingRun: a derived class says which pairs a step sees.
class PreferenceRun : public TrainingRun {
 protected:
  /// `settings`, resolved, must outlive it. Throws UsageError for a learning rate's course that does not fit the steps.
  PreferenceRun(const PreferenceSettings& settings, Json identity, const RandomKey& key);
  /// To be called once, by the derived constructor.
  void work_on(const PreferenceWork& work) { work_ = work; }

  /// Brings the pairs of a step to where pairs() finds them: the host's part.
  virtual void go_to(int64_t step) = 0;
  /// Those pairs, always in the same memory of the device.
  virtual PreferencePairs pairs() = 0;
  /// The step whose draws a step takes: its own, unless draws come again.
  virtual int64_t draws_of(int64_t step) const { return step; }
  /// What frozen models make of the pairs gone to, always in the same memory; undefined: the step runs them.
  virtual FrozenRows frozen() { return {}; }
  /// Whether the model is looked at before `step` is applied, which is then no graph of a device.
  virtual bool looks_at(int64_t) const { return false; }
  /// Does so and adds to what the step tells.
  virtual void look_at(int64_t, Step&) {}

  /// What measured errors are compared with (HealthSample::reference_error).
  void set_reference_error(double error) { reference_error_ = error; }
  double reference_error() const { return reference_error_; }
  const RandomKey& key() const { return key_; }
  /// The final numbers that every run writes; `seconds` as in finish().
  Json metrics(int64_t pairs, int64_t trained, double seconds) const;

 private:
  Step compute(int64_t step) override;
  void apply(int64_t step, Step& done) override;
  std::optional<Step> whole_step(int64_t step) override;
  TrainingState state() override;
  void restore_more(const StateDict& more) override { work_.trainer->load_state_dict(more); }

  void begin(int64_t step);
  /// Of the pairs gone to, with the draws of step `drawn`.
  PreferenceStepResult gradients(int64_t drawn);
  /// What result_ tells, read once.
  Step report(int64_t step);
  /// What the log also says of a step that was applied.
  void add_to(NamedValues& log, int64_t step);
  /// Mean |implicit reward| and accuracy of this step's samples in 10 equal intervals of t, 0 the least noisy. Of one
  /// step alone, so that they do not depend on where a run was interrupted.
  void add_bins(NamedValues& log) const;

  const PreferenceSettings& settings_;
  RandomKey key_;
  PreferenceWork work_;
  StepGraph<PreferenceStepResult> graph_;
  double reference_error_ = 0;
  double began_ = 0, data_seconds_ = 0;  // of the step under way
  PreferenceStepResult result_;
  StepStatistics last_;
};

}  // namespace plumb
