#include "align/objectives/dspo_e.h"

#include "align/option_reader.h"
#include "align/preference_weight.h"
#include "autograd/ops.h"
#include "engine/ops.h"

namespace plumb {
namespace {

class DspoE final : public Objective {
 public:
  explicit DspoE(const DspoEOptions& options) : options_(options) {}
  std::string_view name() const override { return "dspo_e"; }
  bool uses_losers() const override { return false; }
  bool uses_reference() const override { return true; }

  ObjectiveOutput operator()(const ObjectiveInput& input) const override {
    detail::check_objective_input(name(), input, !input.winners_only, true);
    const int64_t winners = input.winners_only ? input.pred.size(0) : input.pred.size(0) / 2;
    const Variable pred = winning_rows(input.pred, winners), ref = winning_rows(input.ref, winners);
    const Variable target = winning_rows(input.target, winners);
    const Variable shifted = pred - (pred - ref) * (options_.lambda * options_.gamma);
    return {.loss = mean(sample_error(shifted, target, options_.reduction)),
            .logit = {},
            .implicit_accuracy = {},
            .error = sample_error(pred.value(), target.value(), options_.reduction),
            .ref_error = sample_error(ref.value(), target.value(), options_.reduction)};
  }

 private:
  DspoEOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_dspo_e(const DspoEOptions& options) { return std::make_unique<DspoE>(options); }

std::unique_ptr<Objective> make_dspo_e(const ObjectiveSettings& settings) {
  OptionReader read("dspo_e", settings);
  const double beta = read.non_negative("beta", 0.001);
  const DspoEOptions options{.lambda = read.non_negative("lambda", beta),
                             .gamma = read.non_negative("gamma", 1),
                             .reduction = read_reduction(read)};
  read.finish();
  return make_dspo_e(options);
}

}  // namespace plumb
