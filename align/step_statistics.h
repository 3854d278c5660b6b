#pragma once

#include <optional>

#include "align/objective.h"

namespace plumb {

/// The numbers every run logs of one step (OBJECTIVES: what every run logs). Empty where they do not apply.
struct StepStatistics {
  double loss = 0;
  double error_w = 0;  ///< mean student error on winners
  std::optional<double> error_l;
  std::optional<double> ref_error_w;
  std::optional<double> ref_error_l;
  std::optional<double> margin;  ///< mean of (ew - el) - (rw - rl)
  std::optional<double> implicit_accuracy;
  std::optional<double> logit_abs_median;
  std::optional<double> saturated;    ///< share of pairs with |z| > 10: their gradient is below 5e-5 of the largest
  std::optional<double> offset;       ///< KTO's k
  std::optional<double> mean_weight;  ///< DSPO's mean of lambda gamma (1 - sigmoid(z))
  // Of a whole training step (align/preference_trainer.h).
  std::optional<double> grad_norm;  ///< before clipping
  std::optional<double> learning_rate;
  std::optional<double> divergence;            ///< of the student from the initial model
  std::optional<double> reference_divergence;  ///< D of the last reference update's test
};

/// Reads them off an objective's output, and the norm of the gradients where given (f64, one element): a few small
/// tensors, from a device in one transfer.
StepStatistics step_statistics(const ObjectiveOutput& output, const Tensor& grad_norm = {});

}  // namespace plumb
