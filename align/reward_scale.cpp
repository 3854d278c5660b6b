#include "align/reward_scale.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
namespace {

constexpr std::array<std::pair<RewardScale, std::string_view>, 4> kNames = {{
    {RewardScale::none, "none"},
    {RewardScale::minmax, "minmax"},
    {RewardScale::max, "max"},
    {RewardScale::mean, "mean"},
}};

}  // namespace

RewardScale reward_scale_from_name(std::string_view name) {
  for (const auto& [norm, text] : kNames)
    if (text == name) return norm;
  raise<ValueError>("reward scale: must be none, minmax, max or mean ({})", name);
}

std::string_view name_of(RewardScale norm) {
  for (const auto& [known, text] : kNames)
    if (known == norm) return text;
  return "?";
}

Tensor reward_scale(const Tensor& alphas_cumprod, RewardScale norm) {
  require<ShapeError>(alphas_cumprod.defined() && alphas_cumprod.rank() == 1 && alphas_cumprod.numel() >= 1,
                      "reward scale: alphas_cumprod must be [T] with T >= 1; alphas_cumprod {}", alphas_cumprod);
  std::vector<double> x = alphas_cumprod.to(DType::f64).to_vector<double>();
  for (double& value : x) {
    require<ValueError>(value >= 0 && value <= 1, "reward scale: alphas_cumprod must be in [0, 1] ({})", value);
    value = std::min(std::sqrt((1 - value) / value), 1 / std::sqrt(kLeastSnr));
  }
  const auto [least, largest] = std::minmax_element(x.begin(), x.end());
  double shift = 0, scale = 0;
  if (norm == RewardScale::minmax) shift = *least, scale = *largest - *least;
  if (norm == RewardScale::max) scale = *largest;
  if (norm == RewardScale::mean) scale = std::accumulate(x.begin(), x.end(), 0.0) / double(x.size());
  Tensor lambda = empty({alphas_cumprod.numel()}, DType::f64);
  for (size_t t = 0; t < x.size(); ++t) lambda.mutable_data<double>()[t] = scale > 0 ? 1 + (x[t] - shift) / scale : 1;
  return lambda;
}

}  // namespace plumb
