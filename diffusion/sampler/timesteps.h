#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace plumb {

/// Which of the T training timesteps a sampler with S steps visits.   [Lin et al. 2024, Table 2; names as in diffusers]
///   leading    floor(T / S) * i + offset            ends near pure data, misses the noisiest steps
///   linspace   S evenly spaced from 0 to T - 1      includes both ends
///   trailing   T, T - T/S, … minus 1                includes the noisiest step
enum class TimestepSpacing { leading, linspace, trailing };

/// Throws ValueError naming the choices.
TimestepSpacing timestep_spacing_from_name(std::string_view name);
std::string_view name_of(TimestepSpacing spacing);

struct TimestepOptions {
  int64_t num_train_timesteps = 1000;  ///< T
  int64_t steps = 50;                  ///< S, 1 <= S <= T
  TimestepSpacing spacing = TimestepSpacing::leading;
  int64_t steps_offset = 0;  ///< added by `leading` only (1 for Stable Diffusion)
};

/// Timesteps in the order a sampler visits them: noisiest first, each in [0, T). Throws ValueError.
std::vector<int64_t> sampling_timesteps(const TimestepOptions& options);

}  // namespace plumb
