#include "align/preference_weight.h"

#include <algorithm>

#include "autograd/ops.h"
#include "engine/format.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// The coefficients of all t, then those asked for: the arithmetic of time_coefficients, without the host.
Tensor time_coefficients_on_device(const Tensor& bar, const Tensor& t) {
  const int64_t count = bar.numel();
  const Tensor before = cat({ones({1}, DType::f64, bar.device()), slice(bar, 0, 0, count - 1)}, 0);
  const Tensor alpha = bar / before;
  const Tensor all = (1.0 - alpha) / (maximum(1.0 - before, 1.0 - slice(bar, 0, 0, 1)) * alpha);
  return index_select(all, 0, t);
}

}  // namespace

DspoOptions read_dspo_options(OptionReader& read) {
  const double beta = read.non_negative("beta", 0.001);
  return {
      .lambda = read.non_negative("lambda", beta),
      .gamma = read.non_negative("gamma", 1),
      .temperature = read.non_negative("temperature", beta),
      .detach_weight = read.choice("detach_weight", {"false", "true"}, 0) == 1,
      .time_weights = read.choice("time_weights", {"none", "paper"}, 0) == 0 ? TimeWeights::none : TimeWeights::paper,
      .reduction = read_reduction(read)};
}

PreferenceWeight preference_weight(std::string_view objective, const ObjectiveInput& input,
                                   const DspoOptions& options) {
  LogRatio ratio = log_ratio(input, options.temperature, options.reduction);
  if (options.time_weights == TimeWeights::paper)
    ratio.logit = ratio.logit * time_coefficients(objective, input, ratio.logit.dtype());
  Variable weight = wrong_probability(ratio.logit) * (options.lambda * options.gamma);
  if (options.detach_weight) weight = weight.detach();
  return {std::move(ratio), std::move(weight)};
}

ObjectiveOutput weighted_output(const Variable& loss, const PreferenceWeight& pairs) {
  ObjectiveOutput output = pairwise_output(loss, pairs.ratio);
  output.weight = mean(pairs.weight.value());
  return output;
}

Tensor time_coefficients(std::string_view objective, const ObjectiveInput& input, DType dtype) {
  require<ValueError>(input.timesteps.defined() && input.alphas_cumprod.defined(),
                      "{}: time_weights paper needs timesteps and alphas_cumprod", objective);
  require<ShapeError>(input.timesteps.rank() == 1 && input.timesteps.size(0) == input.pred.size(0),
                      "{}: timesteps must be [2B]; timesteps {}, pred {}", objective, input.timesteps,
                      input.pred.value());
  return time_coefficients(objective, input.alphas_cumprod, slice(input.timesteps, 0, 0, input.pred.size(0) / 2))
      .to(dtype);
}

Tensor time_coefficients(std::string_view who, const Tensor& alphas_cumprod, const Tensor& t) {
  require<ShapeError>(alphas_cumprod.rank() == 1 && alphas_cumprod.size(0) >= 1,
                      "{}: alphas_cumprod must be [T]; alphas_cumprod {}", who, alphas_cumprod);
  if (t.device().is_cuda()) return time_coefficients_on_device(alphas_cumprod.to(DType::f64), t.to(DType::i64));
  const std::vector<double> bar = alphas_cumprod.to(DType::f64).to_vector<double>();
  const std::vector<int64_t> steps = t.to(DType::i64).to_vector<int64_t>();
  Tensor coefficients = empty({t.numel()}, DType::f64);
  double* out = coefficients.mutable_data<double>();
  for (const int64_t step : steps) {
    require<ValueError>(step >= 0 && step < int64_t(bar.size()), "{}: timestep outside [0, {}) ({})", who, bar.size(),
                        step);
    const double before = step > 0 ? bar[size_t(step - 1)] : 1;
    const double alpha = bar[size_t(step)] / before;
    *out++ = (1 - alpha) / (std::max(1 - before, 1 - bar[0]) * alpha);
  }
  return coefficients;
}

Variable over_elements(const Variable& weight, const Variable& like) {
  Shape shape = like.shape();
  for (int dim = 1; dim < like.rank(); ++dim) shape[dim] = 1;
  return reshape(weight, shape);
}

Variable winning_rows(const Variable& rows, int64_t pairs) {
  return to(slice(rows, 0, 0, pairs), acc_dtype(rows.dtype()));
}

}  // namespace plumb
