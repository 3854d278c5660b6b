#pragma once

#include <string_view>

#include "align/preference.h"

namespace plumb {

/// Probability p(t) that a pair's prompt is replaced.
///   constant      probability
///   exponential   exp(k (t / T - 1))
///   sigmoid       sigmoid(k (t / T - 0.7))
enum class RandomConditionKind { none, constant, exponential, sigmoid };

/// "none", "constant", "exponential", "sigmoid". Throws ValueError listing them.
RandomConditionKind random_condition_from_name(std::string_view name);

/// Random conditioning, DDSPO's rand_cond: with probability p(t) a pair's (c, c-) gives way, both, to a pair of an
/// extra list of prompts; the latents stay, and with them what SDXL is told of sizes.    [DDSPO's released code]
/// The empty prompt of the codes of DPO, DSPO, Self-DPO and KTO is `constant` with probability 0.2 and a list of one.
struct RandomConditionOptions {
  RandomConditionKind kind = RandomConditionKind::none;
  double k = 20;
  double probability = 0.5;
  Condition prompts = {};    ///< the list's c, a row each
  Condition negatives = {};  ///< their c-; may be empty when the pairs have none either
  /// Prompts that have several c-, of which one is drawn each time: i64 [L], how many each has, one prompt's behind the
  /// other's in `negatives`. Undefined: one each.
  Tensor variants = {};
  /// Only replaced pairs take the policy pair's targets, the others the forward process': a mix with Diffusion-DPO. The
  /// pairs then need no c- of their own.
  bool others_take_noise = false;

  /// Throws ValueError unless `negatives` are as many as `variants` say.
  void check() const;
};

/// p(t), f64 [T]. Throws ValueError unless k >= 0 and the probability is in [0, 1].
Tensor random_condition_probability(const RandomConditionOptions& options, int64_t num_train_timesteps);

struct RandomConditions {
  PreferencePairs pairs;
  Tensor replaced;  ///< bool [B]
};

/// Replaces prompts of a batch whose timesteps are t (i64 [B]). `probability`: as above. Draws from
/// key.fork("replace"), key.fork("prompt") and, with several c-, key.fork("variant"); draw i belongs to the key and
/// key.sample0 + i alone. Throws ValueError when the list is empty or its members are not those of the batch. With
/// `variants` the list must have passed check().
RandomConditions apply_random_conditions(const PreferencePairs& batch, const Tensor& t, const Tensor& probability,
                                         const RandomKey& key, const RandomConditionOptions& options);

}  // namespace plumb
