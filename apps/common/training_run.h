#pragma once

#include <optional>
#include <string>

#include "apps/common/health.h"
#include "apps/common/output_dir.h"
#include "apps/common/run_log.h"
#include "apps/common/training_flags.h"
#include "nn/checkpoint_writer.h"

namespace plumb {

struct TrainingRunOptions {
  std::string verb = {};  ///< begins messages
  int64_t steps = 0;
  CheckpointSettings checkpoints = {};
  HealthLimits health = {};
  bool quiet = false;
  Device device = kCpu;  ///< whose memory is reported
};

/// The frame every training verb runs in: checkpoints and resuming, log, progress, signals, health rules.
///
///   Mine run(settings, resolved, data);  // derived; refuses impossible settings
///   OutputDir out(settings.global.out);
///   run.resume(out);
///   return run.run(out);
///
/// Everything a run computes is a function of settings and step, so that it can stop and go on anywhere. A checkpoint
/// that falls due is written once the next step's loss and gradient are known to be healthy: what is on disk leads on.
/// It is written while the next steps run.
class TrainingRun {
 public:
  /// `identity` is kept in checkpoints and must agree on resuming (run_identity.h).
  TrainingRun(TrainingRunOptions options, Json identity);
  TrainingRun(const TrainingRun&) = delete;
  TrainingRun& operator=(const TrainingRun&) = delete;
  virtual ~TrainingRun() = default;

  /// Finds where to begin, as --resume_from_checkpoint says. A broken newest checkpoint is named on standard error and
  /// passed over. Throws UsageError when the checkpoint belongs to another run, or when a fresh run would mix its
  /// checkpoints with those of an earlier one.
  void resume(const OutputDir& out);

  /// Goes to the end: log.jsonl, logs/, checkpoint-STEP/, then what finish() writes. A signal ends it after a
  /// checkpoint. Returns the exit code. Throws UnhealthyError, naming rule, step, value, limit and the last good
  /// checkpoint, when a health rule is broken or weights to be saved are not finite.
  int run(const OutputDir& out);

 protected:
  struct Step {
    HealthSample health;  ///< its `step` is filled in
    NamedValues log;
  };

  /// Loss and gradients of step `step` (0-based). Changes nothing that a checkpoint holds.
  virtual Step compute(int64_t step) = 0;
  /// Applies what compute() found, and may add to its log. Not called when it is not finite.
  virtual void apply(int64_t step, Step& done) = 0;
  /// Both at once where that can be: the whole step as one graph of a device, which changes nothing when loss or
  /// gradient is not finite. Empty: this step goes by compute() and apply(), as every step does before which a
  /// checkpoint is due.
  virtual std::optional<Step> whole_step(int64_t) { return std::nullopt; }
  virtual TrainingState state() = 0;
  /// Takes TrainingState::more of a checkpoint back.
  virtual void restore_more(const StateDict&) {}
  /// Writes the results. `seconds` is the time since this process' first step.
  virtual void finish(const OutputDir& out, double seconds) = 0;

  /// Steps done before this process.
  int64_t first_step() const { return first_; }
  int64_t not_finite() const { return monitor_.not_finite(); }
  const Json& identity() const { return identity_; }
  /// Throws UnhealthyError when a weight is NaN or infinite; `step` steps are done.
  void require_finite_weights(int64_t step);

 private:
  void adopt(const FoundCheckpoint& found);
  void require_healthy(const std::optional<HealthFinding>& finding);
  [[noreturn]] void raise_unhealthy(const std::string& what, int64_t since, const std::string& fix);
  std::string last_good(int64_t at_most) const;
  void save(int64_t step, const Json& health, RunLog& log);

  TrainingRunOptions options_;
  Json identity_;
  HealthMonitor monitor_;
  std::string folder_ = {};  // where checkpoints are written
  CheckpointWriter writer_;
  int64_t first_ = 0;
  FoundCheckpoint resumed_ = {};  // path empty for a fresh run
};

}  // namespace plumb
