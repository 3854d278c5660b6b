#pragma once

#include <memory>
#include <string>

#include "align/worlds/gaussians2d.h"
#include "apps/common/cli.h"
#include "apps/common/health.h"
#include "nn/optim/adam.h"
#include "nn/optim/lr_schedule.h"

// Flags that the training verbs share, under diffusers' names where it has one.

namespace plumb {

enum class OptimizerKind { adamw, adafactor };

/// The optimiser, the course of its rate, and clipping.
struct OptimizerSettings {
  OptimizerKind kind = OptimizerKind::adamw;
  AdamSettings adam = {};  ///< Adafactor takes the rate and the weight decay
  LrSchedule lr = {};
  double max_grad_norm = 0;  ///< 0: no clipping

  int64_t steps() const { return lr.total_steps; }
  /// The learning rate of optimiser step `step` (0-based). Throws ValueError for a schedule that does not fit its
  /// steps.
  double rate_at(int64_t step) const { return adam.learning_rate * lr_factor(step, lr); }
};

/// --optimizer --learning_rate --lr_scheduler --lr_warmup_steps --max_grad_norm, and advanced ones. --max_train_steps
/// is the verb's.
void add_optimizer_flags(Flags& flags, OptimizerSettings& settings);
/// After parse(): Adafactor clips each update itself, so that gradients are clipped only where --max_grad_norm was
/// given. Throws UsageError for flags that the optimiser does not read.
void settle(OptimizerSettings& settings, const Flags& flags, std::string_view verb);
/// Throws ValueError as their constructors do.
std::unique_ptr<Optimizer> make_optimizer(const ParameterList& parameters, const OptimizerSettings& settings);

/// In which type a network computes: weights and activations. Masters, losses, statistics and the optimiser are f32
/// in any case. fp16 is known by name alone: its gradients need a loss scale.
enum class MixedPrecision { no, bf16, fp16 };

/// --mixed_precision.
void add_precision_flag(Flags& flags, MixedPrecision& precision);
/// f32 or bf16. Throws UsageError for fp16, naming the verb.
DType compute_dtype(MixedPrecision precision, std::string_view verb);

/// --cuda_graph.
void add_graph_flag(Flags& flags, bool& cuda_graph);
/// Whether steps run as a graph: where --cuda_graph wants it (the default), on a CUDA device, and nothing of a step
/// needs the host. `host` says in a few words what does; where that alone is in the way, it is said in a line on
/// standard error unless `quiet`.
bool graph_steps(std::string_view verb, bool wanted, Device device, std::string_view host, bool quiet);

/// What a run leaves behind on its way.
struct CheckpointSettings {
  int64_t checkpointing_steps = 500;  ///< 0: only when a signal stops the run
  int64_t checkpoints_total_limit = 2;
  bool async_checkpointing = true;          ///< written while the next steps run
  std::string resume_from_checkpoint = {};  ///< "latest", or a checkpoint folder; empty: start afresh
  bool resume_with_changes = false;         ///< settings may differ from the checkpoint's run; data may not
  std::string report_to = "tensorboard";
};

void add_checkpoint_flags(Flags& flags, CheckpointSettings& settings);

/// --health_nan --health_collapse --health_window, and with `pairs` --health_saturation --health_spread.
void add_health_flags(Flags& flags, HealthLimits& limits, bool pairs);

/// --classes --noise_fraction --radius --sigma --inflation.
void add_world_flags(Flags& flags, Gaussians2dOptions& world);

}  // namespace plumb
