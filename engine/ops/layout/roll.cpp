#include "engine/ops/layout/roll.h"

#include "engine/format.h"
#include "engine/ops/layout/cat.h"
#include "engine/ops/layout/view.h"
#include "engine/require.h"

namespace plumb {

Tensor roll(const Tensor& x, const Dims& shifts, const Dims& dims) {
  if (dims.empty() && shifts.rank() == 1) return reshape(roll(flatten(x), shifts, {0}), x.shape());
  require<ShapeError>(shifts.rank() == dims.rank(), "roll: shifts and dims must be as many (shifts {}, dims {}); {}",
                      shifts, dims, x);
  Tensor out = x;
  for (int64_t i = 0; i < dims.rank(); ++i) {
    const int64_t d = normalize_dim("roll", dims[i], x.rank());
    const int64_t size = x.rank() == 0 ? 0 : x.shape()[d];
    if (size == 0) continue;
    const int64_t cut = ((-shifts[i]) % size + size) % size;  // the element that comes first
    if (cut != 0) out = cat({slice(out, d, cut), slice(out, d, 0, cut)}, d);
  }
  return out.is_same(x) ? x.clone() : out;
}

}  // namespace plumb
