#include "nn/transformer/feed_forward.h"

#include "autograd/ops/elementwise.h"
#include "autograd/ops/random.h"

namespace plumb {

Variable FeedForward::forward(const Variable& x, const std::optional<RandomKey>& key) const {
  const Variable gated = geglu(proj_.forward(x));
  return out_.forward(key && dropout_ > 0 ? dropout(gated, dropout_, *key) : gated);
}

}  // namespace plumb
