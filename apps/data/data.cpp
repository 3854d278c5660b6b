#include "apps/data/data.h"

#include <cstdio>

#include "apps/common/globals.h"
#include "apps/data/check_pictures.h"
#include "engine/error.h"
#include "engine/require.h"

namespace plumb {

int run_data(const Arguments& arguments) {
  std::string action, path;
  int64_t resolution = 512;
  PictureDatasetOptions options;
  GlobalFlags global;
  Flags flags("data", "reads a data set of pictures as train would, and every picture in it; 2 when some are broken");
  flags.positional("action", action, "check", one_of({"check"})).required();
  flags.positional("path", path, "folder, or .tar files (NAME-{000..099}.tar)").required();
  flags.add("--resolution", resolution, "pictures with a shorter side are counted", at_least(1));
  flags.add("--caption_column", options.caption_column, "key of the captions in metadata");
  flags.add_global(global);
  flags.example("plumb data check pictures");
  if (!flags.parse(arguments)) return kExitDone;
  apply_globals(global);
  const PictureDataset dataset = read_picture_dataset(path, options);
  const Json description = describe_data(dataset, check_pictures(dataset));
  const std::string text = global.json ? description.dump(2) + "\n" : format_data(description, resolution);
  std::fputs(text.c_str(), stdout);
  const size_t broken = description.at("broken").size();
  require<UsageError>(broken == 0, "data check: {} of {} pictures are broken; replace or remove them", broken,
                      dataset.samples.size());
  return kExitDone;
}

}  // namespace plumb
