#pragma once

#include <string>
#include <vector>

#include "apps/gradcheck/op_cases.h"
#include "engine/io/safetensors.h"

// Cases of every op of the table on inputs large enough to be split among threads: a chunk of elementwise work is
// 32768 elements. Sizes are odd, so that tiles, vectors and chunks leave remainders.

namespace plumb::test {

/// Cases of an op; empty for one that has none and is not elementwise, which fails the tests: add it to
/// large_cases.cpp.
std::vector<OpCase> large_cases(std::string_view op);

/// How an input lies in memory.
enum class Layout { dense, reversed, channels_last };

/// Whether the case has a picture, [N, C, H, W]: channels_last leaves other inputs as they are.
bool has_picture(const OpCase& item);

/// The inputs "0", "1", … of a case and, where it has a gradient, the upstream one "g0": pure functions of the case.
TensorMap large_inputs(const OpCase& item, DType dtype, Layout layout);

/// What the op gives: out0 and, with g0, grad0, …
TensorMap run_large(const OpCase& item, const TensorMap& inputs);

/// "softmax f32 {"dim": 1} [37, 53, 59]".
std::string title_of(const OpCase& item, DType dtype, Layout layout);

}  // namespace plumb::test
