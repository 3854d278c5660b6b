#pragma once

#include "engine/io/json.h"
#include "nn/unet/unet2d_condition_options.h"

namespace plumb {

/// Options from a diffusers config.json of a UNet2DConditionModel: absent keys keep their defaults, null is None, keys
/// that begin with an underscore say nothing. Throws ValueError naming a key that is unknown, whose value has the wrong
/// kind, or that asks for what is not supported; whether the other values make sense is check()'s business.
UNet2DConditionOptions unet2d_condition_options(const Json& config);

/// The config.json that diffusers builds the same network from.
Json config_of(const UNet2DConditionOptions& options);

}  // namespace plumb
