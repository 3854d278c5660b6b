#pragma once

#include <filesystem>
#include <memory>

#include "diffusion/parameterization.h"
#include "diffusion/point_denoiser.h"
#include "diffusion/schedule/noise_schedule.h"

namespace plumb {

/// A trained diffusion model of points: the network and what is needed to sample it.
struct PointModel {
  std::unique_ptr<PointDenoiser> network;
  NoiseScheduleOptions schedule;
  Prediction prediction = Prediction::epsilon;
};

/// Writes a model folder in diffusers' layout, complete or not at all:
///   model_index.json   unet/config.json   unet/diffusion_pytorch_model.safetensors   scheduler/scheduler_config.json
/// The network's class is our own ("PointDenoiser"); the scheduler's file is a DDIMScheduler's. Throws IoError.
void save_point_model(const std::filesystem::path& folder, const PointModel& model);

/// Reads such a folder. Throws IoError or ValueError naming file and key.
PointModel load_point_model(const std::filesystem::path& folder);

/// Whether a folder is that of a model of points; anything else, and what cannot be read, is for others to judge.
bool is_point_model(const std::filesystem::path& folder);

}  // namespace plumb
