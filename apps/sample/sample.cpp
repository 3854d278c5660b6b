#include "apps/sample/sample.h"

#include <filesystem>

#include "apps/common/globals.h"
#include "apps/sample/pictures.h"
#include "apps/sample/points.h"
#include "engine/io/file.h"
#include "engine/io/json.h"

namespace plumb {
namespace {

/// Whether a folder is that of a model of points; anything else, and what cannot be read, is the pictures' to judge.
bool is_point_model(const std::filesystem::path& folder) {
  std::error_code ignored;
  const std::filesystem::path config = folder / "unet/config.json";
  if (!std::filesystem::is_regular_file(config, ignored)) return false;
  const Json json = Json::parse(read_file(config), config.string());
  const Json* name = json.is_object() ? json.find("_class_name") : nullptr;
  return name && name->is_string() && name->as_string() == "PointDenoiser";
}

}  // namespace

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
