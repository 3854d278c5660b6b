#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace plumb {

/// How a method was trained for its published numbers, on latents of 4x64x64 (docs/objectives/).
struct PublishedSettings {
  std::string_view objective;  ///< of align/objective.h
  std::string_view policy;     ///< forward, training_free, data_driven
  double learning_rate;
  bool scale_lr;               ///< multiplied by the effective batch
  std::optional<double> beta;  ///< MaPO has none
  int64_t steps;               ///< the fewest, where a range is given
  int64_t warmup_steps;
};

const std::vector<PublishedSettings>& published_settings();

/// The row of an objective under a policy pair; of the objective's first row when the pair is not listed. Null for an
/// objective nobody published settings for.
const PublishedSettings* find_published(std::string_view objective, std::string_view policy);

/// Elements of the latents the published betas are for.
constexpr int64_t kPublishedElements = 4 * 64 * 64;

/// What beta is multiplied by in the logit: 1/2, and 1 for Diffusion-KTO.
double beta_factor(std::string_view objective);

/// How strongly one unit of squared error, not averaged over elements, enters the logit: factor * beta / elements.
double preference_strength(double beta, int64_t elements, double factor);
/// The beta that has this strength at another number of elements.
double beta_of_strength(double strength, int64_t elements, double factor);

}  // namespace plumb
