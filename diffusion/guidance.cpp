#include "diffusion/guidance.h"

#include <cmath>

#include "autograd/grad_mode.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// Brought towards the spread that `plain` has over every dimension but the first.
Tensor rescaled(const Tensor& guided, const Tensor& plain, double part) {
  Dims dims;
  for (int d = 1; d < guided.rank(); ++d) dims.push_back(d);
  const Tensor factor = stddev(plain, dims, 1, true) / stddev(guided, dims, 1, true);
  return guided * factor * part + guided * (1 - part);
}

}  // namespace

Tensor guided_prediction(Denoiser& model, const Tensor& x, const Tensor& t, const Condition& positive,
                         const Condition& negative, Guidance guidance) {
  require<ValueError>(std::isfinite(guidance.scale), "guidance: scale must be finite ({})", guidance.scale);
  require<ValueError>(guidance.rescale >= 0 && guidance.rescale <= 1, "guidance: rescale must be in [0, 1] ({})",
                      guidance.rescale);
  NoGrad no_grad;
  if (guidance.scale == 1) return model.predict(x, t, positive).value();
  const Tensor both = model.predict(cat({x, x}, 0), cat({t, t}, 0), Condition::cat(negative, positive)).value();
  const int64_t n = x.size(0);
  const Tensor away = slice(both, 0, 0, n), towards = slice(both, 0, n, 2 * n);
  const Tensor guided = away + (towards - away) * guidance.scale;
  return guidance.rescale > 0 ? rescaled(guided, towards, guidance.rescale) : guided;
}

}  // namespace plumb
