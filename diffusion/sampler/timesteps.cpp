#include "diffusion/sampler/timesteps.h"

#include <algorithm>
#include <cmath>

#include "engine/require.h"

namespace plumb {

TimestepSpacing timestep_spacing_from_name(std::string_view name) {
  if (name == "leading") return TimestepSpacing::leading;
  if (name == "linspace") return TimestepSpacing::linspace;
  if (name == "trailing") return TimestepSpacing::trailing;
  raise<ValueError>("timestep spacing: must be leading, linspace or trailing ({})", name);
}

std::string_view name_of(TimestepSpacing spacing) {
  if (spacing == TimestepSpacing::leading) return "leading";
  return spacing == TimestepSpacing::linspace ? "linspace" : "trailing";
}

std::vector<int64_t> sampling_timesteps(const TimestepOptions& options) {
  const int64_t total = options.num_train_timesteps, steps = options.steps;
  require<ValueError>(total >= 1 && steps >= 1 && steps <= total,
                      "sampling timesteps: steps must be in [1, {}], the training timesteps ({})", total, steps);
  std::vector<int64_t> timesteps;
  // std::nearbyint rounds half to even, as numpy does.
  for (int64_t i = 0; i < steps; ++i) {
    if (options.spacing == TimestepSpacing::leading) {
      timesteps.push_back((total / steps) * (steps - 1 - i) + options.steps_offset);
    } else if (options.spacing == TimestepSpacing::linspace) {
      const double step = steps > 1 ? double(total - 1) / double(steps - 1) : 0;
      timesteps.push_back(int64_t(std::nearbyint(step * double(steps - 1 - i))));
    } else {
      timesteps.push_back(int64_t(std::nearbyint(double(total) - double(i) * double(total) / double(steps))) - 1);
    }
  }
  for (int64_t& t : timesteps) {
    require<ValueError>(t < total, "sampling timesteps: steps_offset leads past the last training timestep ({})",
                        options.steps_offset);
    t = std::max<int64_t>(t, 0);
  }
  return timesteps;
}

}  // namespace plumb
