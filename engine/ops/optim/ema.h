#pragma once

#include <cstdint>

#include "engine/host_device.h"
#include "engine/math.h"

namespace plumb {

class Tensor;

struct EmaOptions {
  double decay = 0.9999;
  double min_decay = 0;
  int64_t update_after_step = 0;
  /// Warm-up 1 - (1 + s / inv_gamma)^-power instead of (1 + s) / (10 + s).
  bool use_ema_warmup = false;
  double inv_gamma = 1;
  double power = 2.0 / 3.0;
};

/// The decay of diffusers' EMAModel at its `step`-th update (1, 2, …), with s = max(0, step - update_after_step - 1):
///   s = 0: 0 (the average is the weight itself);  else min(decay, rule(s)), not below min_decay.
PLUMB_HOST_DEVICE double ema_decay(int64_t step, const EmaOptions& options) {
  const double s = double(step - options.update_after_step - 1);
  if (s <= 0) return 0;
  const double rule =
      options.use_ema_warmup ? 1 - math::pow(1 + s / options.inv_gamma, -options.power) : (1 + s) / (10 + s);
  const double capped = rule < options.decay ? rule : options.decay;
  return capped > options.min_decay ? capped : options.min_decay;
}

/// step += 1 and decay = ema_decay(step); with `skip` true step stays and decay is 1, which leaves averages as they
/// are. No value is read by the host. step: i64, decay: f64, skip: bool or undefined; one element each, on one device.
/// Throws DTypeError, ShapeError.
void advance_ema(Tensor& step, Tensor& decay, const Tensor& skip, const EmaOptions& options);

}  // namespace plumb
