#pragma once

#include <cstdint>

namespace plumb {

/// The activations that a product (gemm.h) can end with. A plain enum: variant sources include it.
enum class FusedActivation : uint8_t { none, relu, silu, gelu, gelu_tanh };

}  // namespace plumb
