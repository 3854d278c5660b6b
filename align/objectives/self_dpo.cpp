#include "align/objectives/self_dpo.h"

#include "align/log_ratio.h"
#include "align/option_reader.h"
#include "autograd/ops.h"
#include "engine/ops.h"

namespace plumb {
namespace {

class SelfDpo final : public Objective {
 public:
  explicit SelfDpo(const SelfDpoOptions& options) : options_(options) {}
  std::string_view name() const override { return "self_dpo"; }
  bool uses_losers() const override { return true; }
  bool uses_reference() const override { return true; }
  bool takes_reference_errors() const override { return true; }

  ObjectiveOutput operator()(const ObjectiveInput& input) const override {
    detail::check_objective_input(name(), input, true, !input.ref_error.defined());
    const LogRatio ratio = log_ratio(input, options_.beta, options_.reduction);
    const int64_t pairs = ratio.logit.size(0);
    const Variable denoising =
        sample_error(slice(input.pred, 0, 0, pairs), Variable(slice(input.target, 0, 0, pairs)), options_.reduction);
    const Variable preference = softplus(-ratio.logit);  // -log sigmoid(z), finite for any z
    return pairwise_output(mean(denoising) * options_.lambda1 + mean(preference) * options_.lambda2, ratio);
  }

 private:
  SelfDpoOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_self_dpo(const SelfDpoOptions& options) { return std::make_unique<SelfDpo>(options); }

std::unique_ptr<Objective> make_self_dpo(const ObjectiveSettings& settings) {
  OptionReader read("self_dpo", settings);
  const SelfDpoOptions options{.beta = read.non_negative("beta", 5000),
                               .lambda1 = read.non_negative("lambda1", 0.5),
                               .lambda2 = read.non_negative("lambda2", 0.5),
                               .reduction = read_reduction(read)};
  read.finish();
  return make_self_dpo(options);
}

}  // namespace plumb
