#include "engine/ops/attention/check_attention.h"

#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
namespace {

bool same_batch(const Tensor& a, const Tensor& b) {
  for (int64_t i = 0; i + 2 < a.rank(); ++i)
    if (a.shape()[i] != b.shape()[i]) return false;
  return true;
}

}  // namespace

void check_attention(const char* op, const Tensor& q, const Tensor& k, const Tensor& v) {
  require<DTypeError>(is_floating(q.dtype()) && k.dtype() == q.dtype() && v.dtype() == q.dtype(),
                      "{}: q, k and v must have one floating dtype; q {}, k {}, v {}", op, q, k, v);
  require<ShapeError>(q.rank() >= 2 && k.rank() == q.rank() && v.rank() == q.rank(),
                      "{}: q, k and v must be [..., T, d] of one rank; q {}, k {}, v {}", op, q, k, v);
  require<ShapeError>(same_batch(q, k) && same_batch(q, v), "{}: batch dimensions must be equal; q {}, k {}, v {}", op,
                      q, k, v);
  require<ShapeError>(q.shape().back() == k.shape().back(),
                      "{}: q and k must have one head dimension ({} and {}); q {}, k {}", op, q.shape().back(),
                      k.shape().back(), q, k);
  require<ShapeError>(k.shape().back(1) == v.shape().back(1),
                      "{}: k and v must have as many rows ({} and {}); k {}, v {}", op, k.shape().back(1),
                      v.shape().back(1), k, v);
}

}  // namespace plumb
