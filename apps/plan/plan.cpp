#include "apps/plan/plan.h"

#include <cstdio>

#include "apps/common/globals.h"
#include "apps/plan/make_plan.h"

namespace plumb {
namespace {

void add_flags(Flags& flags, plan::Settings& s) {
  add_objective_flags(flags, s.objective, s.policy);
  flags.add("--train_batch_size", s.batch, "pairs of one forward on one device", between(1, 1'000'000));
  flags.add("--gradient_accumulation_steps", s.accumulation, "forwards of one step", between(1, 1'000'000));
  flags.add("--devices", s.devices, "working at once", between(1, 100'000));
  flags.add("--learning_rate", s.learning_rate, "before scaling [the published one]", positive());
  flags.add("--scale_lr", s.scale_lr, "mark the rate multiplied by the effective batch");
  flags.add("--max_train_steps", s.steps, "optimiser steps [the published ones]", between(1, 1'000'000'000));
  flags.add("--dataset_size", s.dataset_size, "pairs in the data, for epochs", between(1, 1e15));
  flags.add("--shape", s.shape, "of one latent, or one number for points [the model's, else 4,64,64]", at_least(1));
  flags.add("--model", s.model, "model folder or single file, for memory; of points, for a measured step")
      .shown_as("PATH");
  flags.add("--use_lora", s.use_lora, "train low-rank adapters alone");
  flags.add("--rank", s.rank, "of the adapters", between(1, 65536));
  flags.add("--use_ema", s.use_ema, "keep an average of the weights");
  flags.add("--reference_update", s.moving_reference, "let the reference follow the student");
  flags.add_choice("--optimizer", s.optimizer,
                   {{"adamw", OptimizerKind::adamw}, {"adafactor", OptimizerKind::adafactor}}, "for memory");
  flags.add("--resolution", s.resolution, "of pictures, for memory [what the model was trained on]", between(1, 65536));
  flags.add("--gradient_checkpointing", s.checkpointing, "compute blocks again in backward, for less memory");
  flags.add_global(s.global);
  flags.example("plumb plan --objective ddspo --policy training_free --shape 3,32,32 --model runs/train/model");
}

}  // namespace

int run_plan(const Arguments& arguments) {
  plan::Settings settings;
  Flags flags("plan", "what a fine-tuning run would be; writes nothing");
  add_flags(flags, settings);
  if (!flags.parse(arguments)) return kExitDone;
  apply_globals(settings.global);
  const Json made = plan::make_plan(settings);
  const std::string text = settings.global.json ? made.dump(2) + "\n" : plan::format_plan(made);
  std::fputs(text.c_str(), stdout);
  return kExitDone;
}

}  // namespace plumb
