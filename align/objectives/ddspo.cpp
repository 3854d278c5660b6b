#include "align/objectives/ddspo.h"

#include <algorithm>

#include "align/log_ratio.h"
#include "align/option_reader.h"
#include "autograd/ops.h"
#include "engine/format.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

class Ddspo final : public Objective {
 public:
  explicit Ddspo(const DdspoOptions& options) : options_(options) {}
  std::string_view name() const override { return "ddspo"; }
  bool uses_losers() const override { return true; }
  bool uses_reference() const override { return true; }
  bool takes_reference_errors() const override { return true; }

  ObjectiveOutput operator()(const ObjectiveInput& input) const override {
    detail::check_objective_input(name(), input, true, !input.ref_error.defined());
    const LogRatio ratio = log_ratio(input, options_.beta, options_.reduction);
    Variable loss = softplus(-ratio.logit);  // -log sigmoid(z), finite for any z
    if (options_.loss_weight == LossWeight::linear) loss = loss * linear_weight(input, loss.dtype());
    return pairwise_output(mean(loss), ratio);
  }

 private:
  /// t / (T - 1) of each pair, [B].
  Tensor linear_weight(const ObjectiveInput& input, DType dtype) const {
    require<ValueError>(input.timesteps.defined(), "ddspo: loss_weight linear needs timesteps");
    require<ShapeError>(input.timesteps.rank() == 1 && input.timesteps.size(0) == input.pred.size(0),
                        "ddspo: timesteps must be [2B]; timesteps {}, pred {}", input.timesteps, input.pred.value());
    const Tensor winners = slice(input.timesteps, 0, 0, input.pred.size(0) / 2).to(dtype);
    return winners / double(std::max<int64_t>(input.num_train_timesteps - 1, 1));
  }

  DdspoOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_ddspo(const DdspoOptions& options) { return std::make_unique<Ddspo>(options); }

std::unique_ptr<Objective> make_ddspo(const ObjectiveSettings& settings) {
  OptionReader read("ddspo", settings);
  const DdspoOptions options{
      .beta = read.non_negative("beta", 16000),
      .reduction = read_reduction(read),
      .loss_weight = read.choice("loss_weight", {"none", "linear"}, 0) == 0 ? LossWeight::none : LossWeight::linear};
  read.finish();
  return make_ddspo(options);
}

}  // namespace plumb
