#pragma once

#include <string>

#include "diffusion/schedule/noise_schedule.h"
#include "engine/error.h"
#include "tests/support/golden.h"

namespace plumb::test {

/// The schedule called `name` in tests/golden/diffusion.
inline NoiseSchedule golden_schedule(const Golden& golden, const std::string& name) {
  for (const Json& entry : golden.cases("schedule")) {
    if (entry.at("schedule").as_string() != name) continue;
    NoiseScheduleOptions options{.num_train_timesteps = entry.at("num_train_timesteps").as_integer()};
    const std::string& kind = entry.at("beta_schedule").as_string();
    options.beta_schedule = kind == "linear"          ? BetaSchedule::linear
                            : kind == "scaled_linear" ? BetaSchedule::scaled_linear
                                                      : BetaSchedule::squaredcos_cap_v2;
    if (const Json* start = entry.find("beta_start")) options.beta_start = start->as_number();
    if (const Json* end = entry.find("beta_end")) options.beta_end = end->as_number();
    return NoiseSchedule(options);
  }
  throw IoError("golden diffusion data has no schedule " + name);
}

}  // namespace plumb::test
