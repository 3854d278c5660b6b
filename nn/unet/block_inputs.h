#pragma once

#include <optional>
#include <string_view>

#include "autograd/variable.h"
#include "engine/ops/conv/conv2d.h"
#include "engine/random/random_key.h"
#include "nn/module.h"

namespace plumb {

/// What every block of a UNet is given besides the picture.
struct BlockInputs {
  Variable temb;          ///< features of timestep and conditions, [N, temb_channels]
  Variable context = {};  ///< tokens for cross attention, [N, tokens, features], where a block uses them
  std::optional<RandomKey> dropout = {};  ///< set while training; without a key nothing is dropped
  /// Blocks keep their inputs alone and compute the rest again in backward (nn/checkpoint_module.h).
  bool checkpoint = false;
  /// Size of the picture that an upsampler makes; 0: twice the size it is given.
  Size2d upsampled = {};

  /// The same for a part of the block: its own stream of random numbers.
  BlockInputs of(std::string_view part) const {
    BlockInputs inputs = *this;
    if (dropout) inputs.dropout = dropout->fork(part);
    return inputs;
  }
};

/// A part of a UNet that keeps the picture's shape: attention within a picture, later a transformer with text.
/// x: [N, C, H, W], channels-last, and so the result.
class SpatialLayer : public Module {
 public:
  virtual Variable forward(const Variable& x, const BlockInputs& inputs) = 0;
};

}  // namespace plumb
