#include "diffusion/parameterization.h"

#include <array>
#include <utility>

#include "engine/format.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {
constexpr std::array<std::pair<Prediction, std::string_view>, 4> kNames = {{
    {Prediction::epsilon, "epsilon"},
    {Prediction::sample, "sample"},
    {Prediction::v_prediction, "v_prediction"},
    {Prediction::flow, "flow_prediction"},
}};
}  // namespace

Prediction prediction_from_name(std::string_view name) {
  for (const auto& [kind, text] : kNames)
    if (text == name) return kind;
  raise<ValueError>("prediction type: must be epsilon, sample, v_prediction or flow_prediction ({})", name);
}

std::string_view name_of(Prediction kind) {
  for (const auto& [known, text] : kNames)
    if (known == kind) return text;
  return "?";
}

NoiseLevel flow_level(const Tensor& s, int64_t rank) {
  require<ShapeError>(s.rank() == 1 && rank >= 1, "flow_level: times must be [N] for a batch of rank >= 1; {}", s);
  Shape shape = Dims::filled(rank, 1);
  shape[0] = s.size(0);
  const Tensor sigma = reshape(s, shape);
  return {1.0 - sigma, sigma};
}

Tensor prediction_target(Prediction kind, const NoiseLevel& level, const Tensor& x0, const Tensor& noise) {
  switch (kind) {
    case Prediction::epsilon:
      return noise;
    case Prediction::sample:
      return x0;
    case Prediction::v_prediction:
      return level.alpha * noise - level.sigma * x0;
    case Prediction::flow:
      return noise - x0;
  }
  raise<ValueError>("prediction_target: unknown prediction type");
}

Tensor predicted_x0(Prediction kind, const NoiseLevel& level, const Tensor& x, const Tensor& prediction) {
  switch (kind) {
    case Prediction::epsilon:
      return (x - level.sigma * prediction) / level.alpha;
    case Prediction::sample:
      return prediction;
    case Prediction::v_prediction:
      return level.alpha * x - level.sigma * prediction;
    case Prediction::flow:
      return x - level.sigma * prediction;
  }
  raise<ValueError>("predicted_x0: unknown prediction type");
}

Tensor predicted_noise(Prediction kind, const NoiseLevel& level, const Tensor& x, const Tensor& prediction) {
  switch (kind) {
    case Prediction::epsilon:
      return prediction;
    case Prediction::sample:
      return (x - level.alpha * prediction) / level.sigma;
    case Prediction::v_prediction:
      return level.sigma * x + level.alpha * prediction;
    case Prediction::flow:
      return x + level.alpha * prediction;
  }
  raise<ValueError>("predicted_noise: unknown prediction type");
}

Tensor convert_prediction(Prediction from, Prediction to, const NoiseLevel& level, const Tensor& x,
                          const Tensor& prediction) {
  if (from == to) return prediction;
  if (to == Prediction::epsilon) return predicted_noise(from, level, x, prediction);
  if (to == Prediction::sample) return predicted_x0(from, level, x, prediction);
  return prediction_target(to, level, predicted_x0(from, level, x, prediction),
                           predicted_noise(from, level, x, prediction));
}

Tensor noise_from_score(const NoiseLevel& level, const Tensor& score) { return -(level.sigma * score); }

}  // namespace plumb
