#pragma once

#include <memory>

#include "apps/toy2d/settings.h"
#include "diffusion/point_denoiser.h"

namespace plumb::toy2d {

/// Called after every reference step with the loss; returns false to stop early (a signal arrived).
struct StepObserver {
  bool (*call)(void* context, int64_t step, double loss) = nullptr;
  void* context = nullptr;
};

/// Trains the reference model on the contaminated data of `world`: Adam, cosine learning rate down to 2%.
/// The data set is drawn once from the key; batches, timesteps and noise are pure functions of key and step.
std::unique_ptr<PointDenoiser> train_reference(const Settings& settings, const Gaussians2d& world,
                                               const NoiseSchedule& schedule, const RandomKey& key,
                                               const StepObserver& observer = {});

}  // namespace plumb::toy2d
