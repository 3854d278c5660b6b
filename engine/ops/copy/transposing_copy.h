#pragma once

#include "engine/loops.h"

namespace plumb {

/// A copy between two memory orders: the inner dimension of the target is strided in the source, and another dimension
/// is dense there. Returns false, having done nothing, when the walk is not of that kind.
///
/// Tiles of 16 by 16 elements are carried over, so that whole cache lines are read and written: NCHW to NHWC and back
/// at 12 to 20 GB/s, where walking along the target gave 2 to 6. loop: operand 0 is the target. bytes: of an element,
/// 1, 2, 4 or 8.
bool transposing_copy(const StridedLoop<2>& loop, const void* source, void* target, int64_t bytes);

}  // namespace plumb
