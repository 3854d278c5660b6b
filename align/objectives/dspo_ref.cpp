#include "align/objectives/dspo_ref.h"

#include "autograd/ops.h"
#include "engine/ops.h"

namespace plumb {
namespace {

class DspoRef final : public Objective {
 public:
  explicit DspoRef(const DspoOptions& options) : options_(options) {}
  std::string_view name() const override { return "dspo_ref"; }
  bool uses_losers() const override { return true; }
  bool uses_reference() const override { return true; }

  ObjectiveOutput operator()(const ObjectiveInput& input) const override {
    detail::check_objective_input(name(), input, true, true);
    const PreferenceWeight pairs = preference_weight(name(), input, options_);
    const int64_t count = pairs.weight.size(0);
    const Variable distance =
        sample_error(slice(input.pred, 0, 0, count), Variable(slice(input.ref, 0, 0, count)), options_.reduction);
    return weighted_output(mean(square(1.0 - pairs.weight) * distance), pairs);
  }

 private:
  DspoOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_dspo_ref(const DspoOptions& options) { return std::make_unique<DspoRef>(options); }

std::unique_ptr<Objective> make_dspo_ref(const ObjectiveSettings& settings) {
  OptionReader read("dspo_ref", settings);
  const DspoOptions options = read_dspo_options(read);
  read.finish();
  return make_dspo_ref(options);
}

}  // namespace plumb
