#include "align/objectives/diffusion_kto.h"

#include <algorithm>

#include "align/log_ratio.h"
#include "align/option_reader.h"
#include "autograd/ops.h"
#include "engine/format.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// s of each sample, [N] in `dtype`.
Tensor read_labels(const ObjectiveInput& input, DType dtype) {
  const int64_t samples = input.pred.size(0);
  if (!input.labels.defined()) {
    const Tensor wanted = full({samples / 2}, 1.0, dtype, input.pred.value().device());
    return cat({wanted, neg(wanted)}, 0);
  }
  require<ShapeError>(input.labels.rank() == 1 && input.labels.size(0) == samples,
                      "diffusion_kto: labels must be one a sample; labels {}, pred {}", input.labels,
                      input.pred.value());
  const Tensor labels = input.labels.to(dtype);
  if (!labels.device().is_cpu()) return labels;  // a step must not wait for its device
  for (const double label : labels.to_vector<double>())
    require<ValueError>(label == 1 || label == -1, "diffusion_kto: labels must be 1 or -1 ({}); labels {}", label,
                        input.labels);
  return labels;
}

/// Numbers [] one behind the other, f64.
Tensor list_of(const std::vector<Tensor>& numbers) {
  std::vector<Tensor> parts;
  for (const Tensor& number : numbers) parts.push_back(reshape(number.to(DType::f64), {1}));
  return cat(parts, 0);
}

/// Mean of `values` where `mask` (0 or 1) is 1; not a number where the mask holds none.
Tensor masked_mean(const Tensor& values, const Tensor& mask) { return sum(values * mask) / sum(mask); }

class DiffusionKto final : public Objective {
 public:
  explicit DiffusionKto(const DiffusionKtoOptions& options) : options_(options) {}
  std::string_view name() const override { return "diffusion_kto"; }
  bool uses_losers() const override { return true; }
  bool uses_reference() const override { return true; }
  bool reads_rolled_conditions() const override { return options_.offset == KtoOffset::mismatched; }
  bool is_unpaired() const override { return true; }

  /// Sums over wanted and unwanted samples apart, {gain, count, gain, count}; of mismatched, {gain, count} of all.
  Tensor batch_statistics(const ObjectiveInput& input) const override {
    detail::check_objective_input(name(), input, !input.labels.defined(), true);
    const Tensor samples = scalar(double(input.pred.size(0)), DType::f64, input.pred.value().device());
    if (options_.offset == KtoOffset::mismatched) return list_of({sum(mismatched_gain(input).to(DType::f64)), samples});
    const Tensor gain = neg(error_gain(input.pred.value(), input.ref, input.target, options_.reduction)).to(DType::f64);
    const Tensor wanted = gt(read_labels(input, DType::f64), 0.0).to(DType::f64);
    const Tensor count = sum(wanted);
    return list_of({sum(gain * wanted), count, sum(gain * (1.0 - wanted)), samples - count});
  }

  ObjectiveOutput operator()(const ObjectiveInput& input) const override {
    detail::check_objective_input(name(), input, !input.labels.defined(), true);
    const Reduction reduction = options_.reduction;
    const Variable gain = -error_gain(input.pred, input.ref, input.target, reduction);  // g, [N]
    const Tensor labels = read_labels(input, gain.dtype());
    const Tensor k = input.statistics.defined() ? whole_batch_offset(input.statistics, gain.dtype())
                                                : offset(input, gain.value(), labels);
    const Variable logit = scaled_logit((gain - k) * (labels * options_.beta), input);
    const Tensor weight = where(gt(labels, 0.0), full(labels.shape(), options_.w_plus, labels.dtype(), labels.device()),
                                options_.w_minus);
    return {.loss = mean(disutility(logit) * weight),
            .logit = logit.value(),
            .implicit_accuracy = implicit_accuracy(logit.value()),
            .error = sample_error(input.pred.value(), input.target, reduction),
            .ref_error = sample_error(input.ref, input.target, reduction),
            .gain = neg(gain.value()),
            .offset = k,
            .labels = labels};
  }

 private:
  /// k, [].
  Tensor offset(const ObjectiveInput& input, const Tensor& gain, const Tensor& labels) const {
    if (options_.offset == KtoOffset::mean) return maximum(mean(gain), 0.0);
    if (options_.offset == KtoOffset::mismatched) return mean(mismatched_gain(input));
    const Tensor wanted = gt(labels, 0.0).to(gain.dtype()), unwanted = 1.0 - wanted;
    // A switch by value: no host branch on tensor data inside a step.
    const Tensor both = logical_and(gt(sum(unwanted), 0.0), gt(sum(wanted), 0.0));
    return where(both, (masked_mean(gain, wanted) + masked_mean(gain, unwanted)) * 0.5, mean(gain));
  }

  /// k of the effective batch from its batch_statistics.
  Tensor whole_batch_offset(const Tensor& statistics, DType dtype) const {
    const bool mismatched = options_.offset == KtoOffset::mismatched;
    require<ShapeError>(statistics.numel() == (mismatched ? 2 : 4),
                        "diffusion_kto: statistics must be batch_statistics'; {}", statistics);
    const auto s = [&](int64_t i) { return reshape(slice(statistics, 0, i, i + 1).to(DType::f64), {}); };
    if (mismatched) return (s(0) / s(1)).to(dtype);
    const Tensor all = (s(0) + s(2)) / (s(1) + s(3));
    if (options_.offset == KtoOffset::mean) return maximum(all, 0.0).to(dtype);
    const Tensor both = logical_and(gt(s(1), 0.0), gt(s(3), 0.0));
    return where(both, (s(0) / s(1) + s(2) / s(3)) * 0.5, all).to(dtype);
  }

  Tensor mismatched_gain(const ObjectiveInput& input) const {
    require<ValueError>(input.pred_roll.defined() && input.ref_roll.defined(),
                        "diffusion_kto: offset mismatched needs predictions under other samples' conditions "
                        "(pred_roll, ref_roll)");
    return neg(error_gain(input.pred_roll, input.ref_roll, input.target, options_.reduction));
  }

  /// 1 - h(z), written so that it is neither 1 - 1 nor an overflow.
  Variable disutility(const Variable& z) const {
    if (options_.utility == KtoUtility::sigmoid) return wrong_probability(z);
    return options_.utility == KtoUtility::loss_averse ? 1.0 + softplus(-z) : 1.0 - softplus(z);
  }

  DiffusionKtoOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_diffusion_kto(const DiffusionKtoOptions& options) {
  return std::make_unique<DiffusionKto>(options);
}

std::unique_ptr<Objective> make_diffusion_kto(const ObjectiveSettings& settings) {
  OptionReader read("diffusion_kto", settings);
  const DiffusionKtoOptions options{
      .beta = read.non_negative("beta", 5000),
      .offset = KtoOffset(read.choice("offset", {"mean", "balanced", "mismatched"}, 0)),
      .utility = KtoUtility(read.choice("utility", {"sigmoid", "loss_averse", "risk_seeking"}, 0)),
      .w_plus = read.non_negative("w_plus", 1),
      .w_minus = read.non_negative("w_minus", 1),
      .reduction = read_reduction(read)};
  read.finish();
  return make_diffusion_kto(options);
}

}  // namespace plumb
