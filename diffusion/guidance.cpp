#include "diffusion/guidance.h"

#include <cmath>

#include "autograd/grad_mode.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {

Tensor guided_prediction(Denoiser& model, const Tensor& x, const Tensor& t, const Condition& positive,
                         const Condition& negative, double scale) {
  require<ValueError>(std::isfinite(scale), "guidance: scale must be finite ({})", scale);
  NoGrad no_grad;
  if (scale == 1) return model.predict(x, t, positive).value();
  const Tensor both = model.predict(cat({x, x}, 0), cat({t, t}, 0), Condition::cat(negative, positive)).value();
  const int64_t n = x.size(0);
  const Tensor away = slice(both, 0, 0, n);
  return away + (slice(both, 0, n, 2 * n) - away) * scale;
}

}  // namespace plumb
