#include "apps/common/training_flags.h"

#include <cstdio>

#include "engine/format.h"
#include "engine/require.h"
#include "nn/optim/adafactor.h"

namespace plumb {

void add_optimizer_flags(Flags& flags, OptimizerSettings& s) {
  flags
      .add_choice("--optimizer", s.kind, {{"adamw", OptimizerKind::adamw}, {"adafactor", OptimizerKind::adafactor}},
                  "adafactor: a smaller state, no clipping by default")
      .advanced();
  flags.add("--learning_rate", s.adam.learning_rate, "of the optimiser", positive());
  std::vector<std::pair<std::string, LrScheduleKind>> kinds;
  for (int i = 0; i <= int(LrScheduleKind::inverse_sqrt); ++i)
    kinds.emplace_back(name_of(LrScheduleKind(i)), LrScheduleKind(i));
  flags.add_choice("--lr_scheduler", s.lr.kind, kinds, "its course");
  flags.add("--lr_warmup_steps", s.lr.warmup_steps, "steps of linear warm-up", non_negative());
  flags.add("--max_grad_norm", s.max_grad_norm, "clip gradients to this norm, 0: never", non_negative());
  flags.add("--lr_final_fraction", s.lr.final_fraction, "where the rate ends, as a share", between(0, 1)).advanced();
  flags.add("--lr_num_cycles", s.lr.cycles, "cosine waves or restarts, 0: diffusers' default", non_negative())
      .advanced();
  flags.add("--lr_power", s.lr.power, "of the polynomial schedule", positive()).advanced();
  flags.add("--adam_beta1", s.adam.beta1, "decay of the first moment", from_below(0, 1)).advanced();
  flags.add("--adam_beta2", s.adam.beta2, "decay of the second moment", from_below(0, 1)).advanced();
  flags.add("--adam_weight_decay", s.adam.weight_decay, "decoupled weight decay", non_negative()).advanced();
  flags.add("--adam_epsilon", s.adam.epsilon, "in the denominator", non_negative()).advanced();
}

void settle(OptimizerSettings& s, const Flags& flags, std::string_view verb) {
  if (s.kind != OptimizerKind::adafactor) return;
  for (const char* name : {"adam_beta1", "adam_beta2", "adam_epsilon"})
    require<UsageError>(!flags.changed(name),
                        "{}: --{} is AdamW's, and --optimizer is adafactor; leave out one of them", verb, name);
  if (!flags.given("max_grad_norm")) s.max_grad_norm = 0;
}

std::unique_ptr<Optimizer> make_optimizer(const ParameterList& parameters, const OptimizerSettings& s) {
  if (s.kind == OptimizerKind::adamw) return std::make_unique<AdamW>(parameters, s.adam);
  return std::make_unique<Adafactor>(
      parameters, AdafactorSettings{.learning_rate = s.adam.learning_rate, .weight_decay = s.adam.weight_decay});
}

void add_precision_flag(Flags& flags, MixedPrecision& precision) {
  flags
      .add_choice("--mixed_precision", precision,
                  {{"no", MixedPrecision::no}, {"bf16", MixedPrecision::bf16}, {"fp16", MixedPrecision::fp16}},
                  "type the network computes in")
      .advanced();
}

DType compute_dtype(MixedPrecision precision, std::string_view verb) {
  require<UsageError>(precision != MixedPrecision::fp16,
                      "{}: --mixed_precision fp16 needs a loss scale, which this version does not have; use bf16",
                      verb);
  return precision == MixedPrecision::bf16 ? DType::bf16 : DType::f32;
}

void add_graph_flag(Flags& flags, bool& cuda_graph) {
  flags.add("--cuda_graph", cuda_graph, "on a CUDA device, capture the step once and replay it").advanced();
}

bool graph_steps(std::string_view verb, bool wanted, Device device, std::string_view host, bool quiet) {
  if (!wanted || !device.is_cuda()) return false;
  if (!host.empty() && !quiet)
    std::fprintf(stderr, "plumb %.*s: no CUDA graph: %.*s\n", int(verb.size()), verb.data(), int(host.size()),
                 host.data());
  return host.empty();
}

void add_checkpoint_flags(Flags& flags, CheckpointSettings& s) {
  flags.add("--checkpointing_steps", s.checkpointing_steps, "steps between checkpoints, 0: none", non_negative());
  flags.add("--resume_from_checkpoint", s.resume_from_checkpoint, "latest, or a checkpoint folder").transient();
  flags
      .add("--resume_with_changes", s.resume_with_changes,
           "other settings than the checkpoint's run had, after a health rule stopped it, say")
      .transient()
      .advanced();
  flags.add("--async_checkpointing", s.async_checkpointing, "write them while the next steps run").advanced();
  flags.add("--checkpoints_total_limit", s.checkpoints_total_limit, "newest to keep, 0: all", non_negative())
      .advanced();
  flags.add("--report_to", s.report_to, "beside log.jsonl", one_of({"tensorboard", "none"})).advanced();
}

void add_health_flags(Flags& flags, HealthLimits& s, bool pairs) {
  flags
      .add("--health_nan", s.nan_steps, "stop after so many steps in a row that are not finite, 0: never",
           non_negative())
      .advanced();
  flags
      .add("--health_collapse", s.collapse_factor, "stop at so many times the reference's error, 0: never",
           non_negative())
      .advanced();
  if (pairs) {
    flags
        .add("--health_saturation", s.saturation_share, "stop at this share of pairs with |z| > 10, 0: never",
             between(0, 1))
        .advanced();
    flags
        .add("--health_spread", s.spread_share, "stop below this share of the reference's spread, 0: never",
             between(0, 1))
        .advanced();
  }
  flags.add("--health_window", s.window, "steps that collapse and saturation are averaged over", between(1, 100000))
      .advanced();
}

void add_world_flags(Flags& flags, Gaussians2dOptions& world) {
  flags.add("--classes", world.classes, "modes of the 2D world", between(2, 100000));
  flags.add("--noise_fraction", world.noise_fraction, "share of a class's points at a neighbour", between(0, 1));
  flags.add("--radius", world.radius, "of the world's ring", positive()).advanced();
  flags.add("--sigma", world.sigma, "standard deviation of a mode", positive()).advanced();
  flags.add("--inflation", world.inflation, "factor on sigma in the training set", positive()).advanced();
}

}  // namespace plumb
