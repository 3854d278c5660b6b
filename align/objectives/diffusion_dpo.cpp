#include "align/objectives/diffusion_dpo.h"

#include "align/log_ratio.h"
#include "align/option_reader.h"
#include "autograd/ops.h"

namespace plumb {
namespace {

class DiffusionDpo final : public Objective {
 public:
  explicit DiffusionDpo(const DiffusionDpoOptions& options) : options_(options) {}
  std::string_view name() const override { return "diffusion_dpo"; }
  bool uses_losers() const override { return true; }
  bool uses_reference() const override { return true; }
  bool takes_reference_errors() const override { return true; }

  ObjectiveOutput operator()(const ObjectiveInput& input) const override {
    detail::check_objective_input(name(), input, true, !input.ref_error.defined());
    const LogRatio ratio = log_ratio(input, options_.beta, options_.reduction);
    return pairwise_output(mean(softplus(-ratio.logit)), ratio);  // -log sigmoid(z), finite for any z
  }

 private:
  DiffusionDpoOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_diffusion_dpo(const DiffusionDpoOptions& options) {
  return std::make_unique<DiffusionDpo>(options);
}

std::unique_ptr<Objective> make_diffusion_dpo(const ObjectiveSettings& settings) {
  OptionReader read("diffusion_dpo", settings);
  const DiffusionDpoOptions options{.beta = read.non_negative("beta", 5000), .reduction = read_reduction(read)};
  read.finish();
  return make_diffusion_dpo(options);
}

}  // namespace plumb
