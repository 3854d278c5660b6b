#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "diffusion/pipeline/pipeline.h"

namespace plumb {

/// What is to be done with a model of pictures.
struct PictureWork {
  bool training = true;            ///< of all weights of the unet; otherwise sampling
  int64_t batch = 1;               ///< pictures of one forward
  int64_t height = 0, width = 0;   ///< in pixels; 0: what the model was trained on
  bool checkpointing = false;      ///< blocks are computed again in backward
  bool average = false;            ///< an average of the weights is kept
  int64_t adapter_parameters = 0;  ///< more than 0: these alone are trained
  int64_t frozen_copies = 0;       ///< of the unet, beside the one that is trained
  bool text_encoder = false;       ///< the first text encoder is trained, too
  bool adafactor = false;          ///< rather than AdamW
};

/// Bytes, in f32. Weights, gradients, optimiser (of Adafactor on adapters: at most) and average are exact; activations
/// are estimated from the configuration: what a step keeps for backward, or the most that is alive at once in sampling.
struct PictureMemory {
  int64_t parameters = 0, trained = 0;
  int64_t weights = 0, gradients = 0, optimizer = 0, average = 0, activations = 0;
  int64_t total() const { return weights + gradients + optimizer + average + activations; }
};

/// Needs configurations alone (LoadPipelineOptions::weights = false will do).
PictureMemory predict_memory(const Pipeline& pipeline, const PictureWork& work);

/// What this process may use: the machine's memory, or its control group's limit where that is smaller.
int64_t machine_memory();

/// Throws UsageError when the work needs more than `available` bytes: how much of what, and what would fit.
void require_memory(const std::string& verb, const Pipeline& pipeline, const PictureWork& work,
                    int64_t available = machine_memory());

}  // namespace plumb
