#pragma once

#include "align/log_ratio.h"
#include "align/option_reader.h"

namespace plumb {

enum class TimeWeights { none, paper };

/// Options that DSPO and DSPO-ref share. The papers' one beta is both the factor outside and the temperature.
struct DspoOptions {
  double lambda = 0.001;       ///< factor outside
  double gamma = 1;            ///< second factor outside
  double temperature = 0.001;  ///< beta inside z
  bool detach_weight = false;  ///< no gradient through 1 - sigmoid(z)
  TimeWeights time_weights = TimeWeights::none;
  Reduction reduction = Reduction::mean;
};

/// Keys: beta (0.001; default of lambda and temperature), lambda, gamma, temperature, detach_weight (false, true),
/// time_weights (none, paper), reduction. Throws ValueError.
DspoOptions read_dspo_options(OptionReader& read);

/// How far each pair still is from being ordered rightly.
struct PreferenceWeight {
  LogRatio ratio;
  Variable weight;  ///< lambda gamma (1 - sigmoid(z)), [B]
};

/// pairwise_output with the mean weight.
ObjectiveOutput weighted_output(const Variable& loss, const PreferenceWeight& pairs);

/// Weights of a checked batch of pairs. With time_weights = paper the logit is multiplied by time_coefficients.
PreferenceWeight preference_weight(std::string_view objective, const ObjectiveInput& input, const DspoOptions& options);

/// beta_t / ((1 - abar_{t-1}) alpha_t) of each pair, [B] in `dtype`, t the winners' timesteps; 1 - abar_{-1}, which is
/// 0, is raised to beta_0.                                                                   [the DSPO paper, Eq. 23]
/// Throws ValueError without timesteps or alphas_cumprod, or for a timestep outside the schedule.
Tensor time_coefficients(std::string_view objective, const ObjectiveInput& input, DType dtype);

/// The same of timesteps t (i64 [N]) and a schedule (alphas_cumprod [T]), f64 [N]. `who` begins the error message.
Tensor time_coefficients(std::string_view who, const Tensor& alphas_cumprod, const Tensor& t);

/// Per-pair numbers [B] in the shape [B, 1, …] that broadcasts over `like`.
Variable over_elements(const Variable& weight, const Variable& like);

/// The winners' rows of predictions or targets, in f32 (f64 for f64).
Variable winning_rows(const Variable& rows, int64_t pairs);

}  // namespace plumb
