#include "align/objectives/dspo_xl.h"

#include "align/log_ratio.h"
#include "align/option_reader.h"
#include "autograd/ops.h"
#include "engine/ops.h"

namespace plumb {
namespace {

constexpr double kFar = 0.1;  // mean squared distance from the reference at which the loss changes

class DspoXl final : public Objective {
 public:
  explicit DspoXl(const DspoXlOptions& options) : options_(options) {}
  std::string_view name() const override { return "dspo_xl"; }
  bool uses_losers() const override { return true; }
  bool uses_reference() const override { return true; }

  /// {sum of (pred_w - ref_w)^2, its elements}.
  Tensor batch_statistics(const ObjectiveInput& input) const override {
    detail::check_objective_input(name(), input, true, true);
    const int64_t pairs = input.pred.size(0) / 2;
    const Tensor pred = slice(input.pred.value(), 0, 0, pairs), ref = slice(input.ref, 0, 0, pairs);
    const double elements = double(pred.numel());
    return cat({reshape(mse(pred, ref).to(DType::f64) * elements, {1}), full({1}, elements, DType::f64, pred.device())},
               0);
  }

  ObjectiveOutput operator()(const ObjectiveInput& input) const override {
    detail::check_objective_input(name(), input, true, true);
    const LogRatio ratio = log_ratio(input, options_.beta, options_.reduction);
    const int64_t pairs = ratio.logit.size(0);
    Variable loss = square(wrong_probability(ratio.logit));
    const Variable pred = slice(input.pred, 0, 0, pairs), ref = slice(input.ref, 0, 0, pairs);
    const Tensor distance = input.statistics.defined()
                                ? slice(input.statistics, 0, 0, 1) / slice(input.statistics, 0, 1, 2)
                                : mse(pred.value(), ref.value());
    // A switch by value: no host branch on tensor data inside a step.
    loss = where(ge(distance, kFar), loss * sample_error(pred, ref, options_.reduction), loss);
    return pairwise_output(mean(loss), ratio);
  }

 private:
  DspoXlOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_dspo_xl(const DspoXlOptions& options) { return std::make_unique<DspoXl>(options); }

std::unique_ptr<Objective> make_dspo_xl(const ObjectiveSettings& settings) {
  OptionReader read("dspo_xl", settings);
  const DspoXlOptions options{.beta = read.non_negative("beta", 5000), .reduction = read_reduction(read)};
  read.finish();
  return make_dspo_xl(options);
}

}  // namespace plumb
