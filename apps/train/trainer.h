#pragma once

#include <memory>
#include <string>

#include "apps/common/output_dir.h"
#include "apps/common/run_log.h"
#include "apps/train/batch_source.h"
#include "diffusion/point_model.h"
#include "nn/checkpoint.h"

namespace plumb::train {

/// One training run. Everything it computes is a function of settings and step, so that it can stop and go on anywhere:
///
///   Trainer trainer(settings, resolved, data);  // refuses impossible settings
///   OutputDir out(settings.global.out);
///   trainer.resume(out);
///   return trainer.run(out);
class Trainer {
 public:
  /// `data` must outlive it. Throws ValueError for settings that do not fit together.
  Trainer(const Settings& settings, const ConfigEntries& resolved, const PointData& data);

  /// Finds where to begin, as --resume_from_checkpoint says. A broken newest checkpoint is named on standard error and
  /// passed over. Throws UsageError when the checkpoint belongs to another run, or when a fresh run would mix its
  /// checkpoints with those of an earlier one.
  void resume(const OutputDir& out);

  /// Trains to the end: log.jsonl, logs/, checkpoint-STEP/, then model/ and metrics.json. A signal ends it after a
  /// checkpoint. Returns the exit code. Throws UnhealthyError for a loss, gradient or weight that is not finite.
  int run(const OutputDir& out);

 private:
  struct StepResult {
    double loss, rate, grad_norm;
  };

  TrainingState state() { return {model_.network.get(), &optimizer_, ema_.get()}; }
  double rate_at(int64_t step) const;
  StepResult train_step(int64_t step);
  void save(const OutputDir& out, int64_t step, RunLog& log);
  void finish(const OutputDir& out, double last_loss, double seconds);
  void require_healthy(bool healthy, const std::string& what, int64_t step) const;
  void require_finite_weights(int64_t step);

  const Settings& settings_;
  Json identity_;
  RandomKey key_;
  Generator generator_;
  PointModel model_;
  NoiseSchedule schedule_;
  AdamW optimizer_;
  std::unique_ptr<Ema> ema_;
  BatchSource batches_;
  int64_t first_ = 0;      // steps done before this process
  std::string good_ = {};  // the last checkpoint written or read
};

}  // namespace plumb::train
