#include "align/objectives/sft.h"

#include "align/option_reader.h"
#include "autograd/ops.h"
#include "engine/ops.h"

namespace plumb {
namespace {

class Sft final : public Objective {
 public:
  explicit Sft(const SftOptions& options) : options_(options) {}
  std::string_view name() const override { return "sft"; }
  bool uses_losers() const override { return false; }
  bool uses_reference() const override { return false; }

  ObjectiveOutput operator()(const ObjectiveInput& input) const override {
    detail::check_objective_input(name(), input, !input.winners_only, false);
    const int64_t winners = input.winners_only ? input.pred.size(0) : input.pred.size(0) / 2;
    const Variable error = sample_error(slice(input.pred, 0, 0, winners), Variable(slice(input.target, 0, 0, winners)),
                                        options_.reduction);
    return {.loss = mean(error), .logit = {}, .implicit_accuracy = {}, .error = error.value(), .ref_error = {}};
  }

 private:
  SftOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_sft(const SftOptions& options) { return std::make_unique<Sft>(options); }

std::unique_ptr<Objective> make_sft(const ObjectiveSettings& settings) {
  OptionReader read("sft", settings);
  const SftOptions options{.reduction = read_reduction(read)};
  read.finish();
  return make_sft(options);
}

}  // namespace plumb
