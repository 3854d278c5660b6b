#pragma once

#include <cstdint>

namespace plumb {

/// How many pieces of size b > 0 cover a >= 0.
constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace plumb
