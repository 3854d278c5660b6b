#include "apps/data/data.h"

#include <cstdio>

#include "apps/common/globals.h"
#include "apps/data/check_pictures.h"
#include "apps/data/check_preferences.h"
#include "engine/error.h"
#include "engine/require.h"

namespace plumb {

namespace {

void show(const GlobalFlags& global, const Json& description, const std::string& text) {
  std::fputs(global.json ? (description.dump(2) + "\n").c_str() : text.c_str(), stdout);
}

/// Rows that a reader would refuse are listed with the pictures that cannot be decoded.
void check_preferences(const std::string& path, const GlobalFlags& global) {
  const PreferenceDataset dataset = read_preference_dataset(path, {.skip_broken = true});
  const Json description = describe_preferences(dataset);
  show(global, description, format_preferences(description));
  const size_t broken = description.at("broken").size();
  require<UsageError>(broken == 0, "data check: {} of {} preferences are broken; mend or remove them", broken,
                      dataset.samples.size() + dataset.skipped.size());
}

void check_plain_pictures(const std::string& path, const PictureDatasetOptions& options, int64_t resolution,
                          const GlobalFlags& global) {
  const PictureDataset dataset = read_picture_dataset(path, options);
  const Json description = describe_data(dataset, check_pictures(dataset));
  show(global, description, format_data(description, resolution));
  const size_t broken = description.at("broken").size();
  require<UsageError>(broken == 0, "data check: {} of {} pictures are broken; replace or remove them", broken,
                      dataset.samples.size());
}

}  // namespace

int run_data(const Arguments& arguments) {
  std::string action, path, kind = "auto";
  int64_t resolution = 512;
  PictureDatasetOptions options;
  GlobalFlags global;
  Flags flags("data", "reads a data set as train or align would, and every picture in it; 2 when some are broken");
  flags.positional("action", action, "check", one_of({"check"})).required();
  flags.positional("path", path, "folder, table (.csv, .jsonl) or .tar files (NAME-{000..099}.tar)").required();
  flags.add("--kind", kind, "of data; auto looks at the columns", one_of({"auto", "pictures", "preferences"}));
  flags.add("--resolution", resolution, "pictures with a shorter side are counted", at_least(1));
  flags.add("--caption_column", options.caption_column, "key of the captions in metadata");
  flags.add_global(global);
  flags.example("plumb data check pictures");
  if (!flags.parse(arguments)) return kExitDone;
  apply_globals(global);
  if (kind == "preferences" || (kind == "auto" && is_preference_dataset(path)))
    check_preferences(path, global);
  else
    check_plain_pictures(path, options, resolution, global);
  return kExitDone;
}

}  // namespace plumb
