#pragma once

#include <cstdint>

namespace plumb {

/// What a loss does with its elements.
enum class Reduction : uint8_t { mean, sum, none };

}  // namespace plumb
