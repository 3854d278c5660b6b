#include "apps/sample/sample.h"

#include "apps/common/globals.h"
#include "apps/sample/pictures.h"
#include "apps/sample/points.h"
#include "diffusion/point_model.h"

namespace plumb {
int run_sample(const Arguments& arguments) {
  SampleSettings settings;
  Flags flags("sample", "draws points or pictures from a trained model");
  add_sample_flags(flags, settings);
  if (!flags.parse(arguments)) return kExitDone;
  const Device device = apply_globals(settings.global, RunsOn::cpu_and_cuda);
  if (is_point_model(settings.model))
    sample_points(flags, settings, device);
  else
    sample_pictures(flags, settings, device);
  return kExitDone;
}

}  // namespace plumb
