#pragma once

#include <cstdint>

namespace plumb {

/// The activation that a product or a layer ends with. A plain enum: variant sources include it.
enum class ActivationKind : uint8_t { none, relu, silu, gelu, gelu_tanh };

}  // namespace plumb
