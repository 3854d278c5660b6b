#pragma once

#include "engine/io/json.h"
#include "nn/unet/unet2d_options.h"

namespace plumb {

/// Options from a diffusers config.json: absent keys keep their defaults, null is None, keys that begin with an
/// underscore and num_train_timesteps say nothing about the network. Throws ValueError naming a key that is unknown or
/// whose value has the wrong kind; whether the values make sense is UNet2DOptions::check's business.
UNet2DOptions unet2d_options(const Json& config);

/// The config.json that diffusers builds the same network from.
Json config_of(const UNet2DOptions& options);

}  // namespace plumb
