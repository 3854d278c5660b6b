#include <doctest/doctest.h>

#include <cmath>

#include "diffusion/denoising_loss.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "tests/support/golden.h"

using namespace plumb;
using plumb::test::disagreement;
using plumb::test::Golden;

namespace {

/// Predicts what it was given.
class Says final : public Denoiser {
 public:
  explicit Says(const Tensor& output) : output_(output) {}
  explicit Says(const Says&) = default;
  Variable predict(const Variable&, const Tensor&, const Condition&) override { return Variable(output_); }
  void visit(ModuleVisitor&) override {}
  std::unique_ptr<Module> clone_module() const override { return std::make_unique<Says>(*this); }

 private:
  Tensor output_;
};

NoiseSchedule schedule_of(const Json& entry) {
  const bool linear = entry.at("beta_schedule") == Json("linear");
  return NoiseSchedule({.num_train_timesteps = 1000,
                        .beta_schedule = linear ? BetaSchedule::linear : BetaSchedule::scaled_linear,
                        .beta_start = entry.at("beta_start").as_number(),
                        .beta_end = entry.at("beta_end").as_number()});
}

}  // namespace

TEST_CASE("min-SNR: weights and loss are those of diffusers") {
  const Golden golden("losses");
  const std::vector<Json> cases = golden.cases("min_snr");
  CHECK(cases.size() == 12);
  for (const Json& entry : cases) {
    CAPTURE(entry.at("case").as_string());
    const NoiseSchedule schedule = schedule_of(entry);
    const Prediction prediction = prediction_from_name(entry.at("prediction").as_string());
    const double gamma = entry.at("gamma").as_number();
    const DenoisingBatch batch{
        golden.tensor(entry, "x0"), golden.tensor(entry, "noise"), golden.tensor(entry, "t"), {}};
    // (1 - abar) of the first timesteps is a difference of nearly equal float32 numbers.
    const Tensor weights = min_snr_weights(prediction, schedule.level(batch.t, 4), gamma);
    CHECK(disagreement(weights, golden.tensor(entry, "weights"), {0, 1e-5}) == "");
    Says model(golden.tensor(entry, "output"));
    const Tensor loss = min_snr_loss(model, schedule, prediction, batch, gamma).value();
    CHECK(disagreement(reshape(loss, {1}), golden.tensor(entry, "loss"), {0, 1e-5}) == "");
  }
}

TEST_CASE("min-SNR: the noisiest end of a schedule without signal has a finite weight; flow and gamma 0 are refused") {
  const NoiseLevel level{zeros({1, 1}), full({1, 1}, 1)};
  CHECK(min_snr_weights(Prediction::epsilon, level, 5).item() == 1);
  CHECK(min_snr_weights(Prediction::v_prediction, level, 5).item() == 0);
  CHECK(min_snr_weights(Prediction::sample, level, 5).item() == 0);
  CHECK_THROWS_AS(min_snr_weights(Prediction::flow, level, 5), ValueError);
  CHECK_THROWS_AS(min_snr_weights(Prediction::epsilon, level, 0), ValueError);
}
