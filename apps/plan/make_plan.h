#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/align/settings.h"
#include "engine/io/json.h"

namespace plumb::plan {

/// What `plumb plan` can be told. What is left out is the method's published value.
struct Settings {
  GlobalFlags global = {};
  std::string model = {};
  ObjectiveChoice objective = {};
  std::string policy = "forward";
  int64_t batch = 1, accumulation = 2048, devices = 1;
  std::optional<double> learning_rate = {};
  bool scale_lr = false;
  std::optional<int64_t> steps = {};
  std::optional<int64_t> dataset_size = {};
  std::vector<int64_t> shape = {};  ///< of one latent; empty: the point model's, else 4x64x64
  bool use_lora = false;
  int64_t rank = 4;
  bool use_ema = false;
  bool moving_reference = false;
  std::optional<int64_t> resolution = {};  ///< of the pictures; what the model was trained on unless set
  bool checkpointing = false;
  OptimizerKind optimizer = OptimizerKind::adamw;
};

/// The plan as an object:
///   objective, policy
///   batch          train_batch_size, gradient_accumulation_steps, devices, effective
///   learning_rate  base, scale_lr (whether the method was published with it), with_scale_lr = base * effective batch,
///                  without_scale_lr = base, papers_text = 2.048e-8 * 2000 / beta (Diffusion-DPO and DSPO-XL)
///   beta           beta, shape, elements (d), factor (1/2; 1 for Diffusion-KTO), strength = factor beta / d,
///                  equal_strength: [{shape, elements, beta}]; null for an objective without beta
///   steps          steps, warmup_steps, pairs = steps * effective, dataset_size, epochs
///   forwards       student, frozen, frozen_after_reference_update, in rows over pairs
///   memory         bytes between steps (measure.h), with a model: parameters, trained, weights, gradients, optimizer,
///                  average, initial, moving, total
///   pictures       bytes of a training step and of sampling, with a model of pictures (common/picture_memory.h):
///                  resolution, machine, training, training_checkpointed and sampling {weights, gradients, optimizer,
///                  average, activations, total}; refused with UsageError when training does not fit
///   measured       peak_bytes, step_s, run_s: one step of a point model, as it is
/// Throws UsageError or ValueError for what does not fit.
Json make_plan(const Settings& settings);

/// The same as lines of text.
std::string format_plan(const Json& plan);

}  // namespace plumb::plan
