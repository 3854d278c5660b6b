#include "align/objectives/mapo.h"

#include "align/log_ratio.h"
#include "align/option_reader.h"
#include "autograd/ops.h"
#include "engine/ops.h"

namespace plumb {
namespace {

/// u / expm1(u) for u >= 0, f64. Below the bound the power series of Bernoulli numbers: there the quotient's gradient
/// would be a difference of terms like 1 / u. Above it u exp(-u) / (1 - exp(-u)), of which no part overflows.
Variable bernoulli_ratio(const Variable& u) {
  constexpr double kSeriesBound = 0.25;  // the first term left out is below 4e-17
  const Tensor small = lt(u.value(), kSeriesBound);
  const Variable low = where(small, u, 0.0), square_low = square(low);
  Variable series = square_low * (1.0 / 47900160) + (-1.0 / 1209600);
  for (const double coefficient : {1.0 / 30240, -1.0 / 720, 1.0 / 12}) series = series * square_low + coefficient;
  series = series * square_low - low * 0.5 + 1.0;
  const Variable high = where(small, 1.0, u);
  return where(small, series, high * exp(-high) / -expm1(-high));
}

class Mapo final : public Objective {
 public:
  explicit Mapo(const MapoOptions& options) : options_(options) {}
  std::string_view name() const override { return "mapo"; }
  bool uses_losers() const override { return true; }
  bool uses_reference() const override { return false; }

  ObjectiveOutput operator()(const ObjectiveInput& input) const override {
    detail::check_objective_input(name(), input, true, false);
    const Variable error = sample_error(input.pred, Variable(input.target), options_.reduction);
    const int64_t pairs = error.size(0) / 2;
    // A few numbers in f64: T would bring up the rounding of the difference.
    const Variable phi = bernoulli_ratio(to(error, DType::f64) * 0.5);
    const Variable odds = slice(phi, 0, 0, pairs) - slice(phi, 0, pairs, 2 * pairs);
    const Variable logit = scaled_logit(to(odds * double(input.num_train_timesteps), error.dtype()), input);
    return {.loss = mean(slice(error, 0, 0, pairs)) + mean(softplus(-logit)) * options_.b,
            .logit = logit.value(),
            .implicit_accuracy = implicit_accuracy(logit.value()),
            .error = error.value(),
            .ref_error = {}};
  }

 private:
  MapoOptions options_;
};

}  // namespace

std::unique_ptr<Objective> make_mapo(const MapoOptions& options) { return std::make_unique<Mapo>(options); }

std::unique_ptr<Objective> make_mapo(const ObjectiveSettings& settings) {
  OptionReader read("mapo", settings);
  const MapoOptions options{.b = read.non_negative("b", 0.1), .reduction = read_reduction(read)};
  read.finish();
  return make_mapo(options);
}

}  // namespace plumb
