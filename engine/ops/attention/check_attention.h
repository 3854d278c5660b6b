#pragma once

#include "engine/tensor.h"

namespace plumb {

/// What every attention asks of its operands: q [..., Tq, d], k [..., Tk, d], v [..., Tk, dv] with equal batch
/// dimensions, of one floating dtype. Throws ShapeError, DTypeError naming `op`.
void check_attention(const char* op, const Tensor& q, const Tensor& k, const Tensor& v);

}  // namespace plumb
