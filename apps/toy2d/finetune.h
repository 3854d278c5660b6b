#pragma once

#include <memory>

#include "align/preference.h"
#include "align/step_statistics.h"
#include "apps/toy2d/settings.h"
#include "diffusion/point_denoiser.h"

namespace plumb::toy2d {

/// What fine-tuning with any method starts from. Everything outlives the call.
struct FinetuneStart {
  const Gaussians2d& world;
  const NoiseSchedule& schedule;
  PointDenoiser& reference;
  const PreferencePairs& pairs;  ///< anywhere; moved to where the reference is
  RandomKey key;                 ///< the same for every method, so that methods differ in nothing but themselves
};

/// Called after each step (1-based) with the gradient's norm and the student as it is then.
struct FinetuneObserver {
  void (*call)(void* context, int64_t step, double grad_norm, const StepStatistics& statistics,
               PointDenoiser& student) = nullptr;
  void* context = nullptr;
};

/// A copy of the reference, fine-tuned: Adam, constant learning rate, no weight decay, no clipping; pairs drawn with
/// replacement. Throws NumericError when the loss stops being finite.
std::unique_ptr<PointDenoiser> finetune(const Method& method, const FinetuneStart& start,
                                        const FinetuneObserver& observer = {});

}  // namespace plumb::toy2d
