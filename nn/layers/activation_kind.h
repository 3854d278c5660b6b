#pragma once

#include <string_view>

#include "autograd/variable.h"

namespace plumb {

/// An activation function chosen by configuration, under diffusers' names (`act_fn`).
enum class ActivationKind { silu, relu, gelu, mish };

/// "silu" or "swish", "relu", "gelu" (exact), "mish". Throws ValueError naming `key`, the setting it came from.
ActivationKind activation_kind(std::string_view name, std::string_view key = "act_fn");

Variable activate(ActivationKind kind, const Variable& x);

}  // namespace plumb
