#include "align/objectives/dspo.h"

#include "autograd/ops.h"
#include "engine/ops.h"

namespace plumb {
namespace {

class Dspo final : public Objective {
 public:
  explicit Dspo(const DspoOptions& options) : options_(options) {}
  std::string_view name() const override { return "dspo"; }
  bool uses_losers() const override { return true; }
  bool uses_reference() const override { return true; }

  ObjectiveOutput operator()(const ObjectiveInput& input) const override {
    detail::check_objective_input(name(), input, true, true);
    const PreferenceWeight pairs = preference_weight(name(), input, options_);
    const int64_t count = pairs.weight.size(0);
    const Variable pred = winning_rows(input.pred, count), ref = winning_rows(input.ref, count);
    const Variable shifted = pred - over_elements(pairs.weight, pred) * (pred - ref);
    return weighted_output(mean(sample_error(shifted, winning_rows(input.target, count), options_.reduction)), pairs);
  }

 private:
  DspoOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_dspo(const DspoOptions& options) { return std::make_unique<Dspo>(options); }

std::unique_ptr<Objective> make_dspo(const ObjectiveSettings& settings) {
  OptionReader read("dspo", settings);
  const DspoOptions options = read_dspo_options(read);
  read.finish();
  return make_dspo(options);
}

}  // namespace plumb
