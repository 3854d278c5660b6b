#pragma once

#include <functional>

#include "diffusion/guidance.h"
#include "diffusion/sampler/make_sampler.h"
#include "diffusion/sampler/picture_noise.h"

namespace plumb {

struct PictureSamplerOptions {
  SchedulerConfig scheduler = {};
  int64_t steps = 50;
  double eta = 0;  ///< DDIM only
  Guidance guidance = {};
};

/// What pictures (or latents) are made of; one row each.
struct PictureStart {
  Condition condition = {};
  Condition negative = {};  ///< read when guidance.scale is not 1
  Shape shape = {};         ///< [C, H, W]
  /// Begin from these, f32 [N, C, H, W], brought to noise as far as `strength` says; undefined: from noise.
  Tensor init = {};
  double strength = 0.8;  ///< in [0, 1]: the part of the steps that is taken
};

/// What the caller sees after every call of the network.
struct PictureStep {
  int64_t done, calls;  ///< calls of the network, and of how many
  double t;             ///< the timestep it was called with
  Tensor x;             ///< what the next call sees: [N, C, H, W], of about unit size
};

/// How many calls of the network there will be. Throws ValueError as make_sampler does, and where `strength` leaves no
/// step to take.
int64_t picture_calls(const PictureSamplerOptions& options, const PictureStart& start);

/// Draws pictures as diffusers' pipelines do: noise, steps, and for `init` only the last steps * strength of them.
/// The model is evaluated without recording; noise is drawn on the CPU and moved to where the model is.
/// Returns f32 [N, C, H, W] there. Throws ValueError, ShapeError.
Tensor sample_pictures(Denoiser& model, const PictureStart& start, PictureNoise& noise,
                       const PictureSamplerOptions& options,
                       const std::function<void(const PictureStep&)>& after_step = {});

}  // namespace plumb
