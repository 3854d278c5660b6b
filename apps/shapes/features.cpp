#include <algorithm>
#include <cstdio>

#include "align/worlds/shapes/attributes.h"
#include "apps/common/globals.h"
#include "apps/common/output_dir.h"
#include "apps/shapes/actions.h"
#include "apps/shapes/train_features.h"
#include "engine/format.h"
#include "engine/io/file.h"
#include "engine/require.h"
#include "nn/state_file.h"

namespace plumb::shapes {
namespace {

struct FeatureSettings {
  std::string data = {}, world = {};
  int64_t max_pictures = 20'000, feature_dim = 64;
  FeatureTraining training = {};
  GlobalFlags global{.out = "runs/features"};
};

void add_flags(Flags& flags, FeatureSettings& s) {
  flags.add("--data", s.data, "pictures of a world, as shapes make writes them").shown_as("DIR").required();
  flags.add("--world", s.world, "tiny, full, or a JSON file; DIR/world.json unless given").shown_as("WORLD");
  flags.add("--max_pictures", s.max_pictures, "pictures read; a tenth of them judge the result", at_least(20));
  flags.add("--feature_dim", s.feature_dim, "dimensions of the feature space", between(1, 65536));
  flags.add("--max_train_steps", s.training.steps, "steps", at_least(1));
  flags.add("--train_batch_size", s.training.batch_size, "pictures a step", at_least(1));
  flags.add("--learning_rate", s.training.learning_rate, "step size of AdamW", positive());
  flags.add_global(s.global);
  flags.example("plumb shapes features --data runs/shapes/data --out runs/shapes/features");
}

PictureClassifierOptions options_for(const World& world, int64_t feature_dim) {
  PictureClassifierOptions options{.image_size = world.picture_size, .feature_dim = feature_dim};
  if (world.picture_size > 32) options.block_out_channels = {16, 32, 64, 64};
  options.heads = attribute_heads(world);
  return options;
}

}  // namespace

int run_features(const Arguments& arguments) {
  FeatureSettings s;
  Flags flags("shapes features", "trains a small classifier of a world's pictures: the feature space of plumb eval");
  add_flags(flags, s);
  if (!flags.parse(arguments)) return kExitDone;
  apply_globals(s.global);
  s.training.quiet = s.global.quiet;
  const World world = load_world(s.world.empty() ? s.data : s.world);
  const LabelledPictures data = label_pictures(read_picture_dataset(s.data), world, s.max_pictures);
  const int64_t held_out = int64_t(data.pictures.size()) / 10;
  require<UsageError>(held_out > 0, "shapes features: there must be 10 readable pictures ({} of {}); make more",
                      data.pictures.size(), data.pictures.size() + size_t(data.unreadable));
  const OutputDir out(s.global.out);
  write_config(out / "config.toml", "shapes features", flags.resolved());
  const PictureClassifierOptions options = options_for(world, s.feature_dim);
  const auto model = train_features(data, held_out, options, s.training, {.seed = uint64_t(s.global.seed)});
  const std::vector<double> accuracy = head_accuracy(*model, data, held_out);
  save_state(out / "model.safetensors", state_dict(*model));
  write_file_atomic(out / "config.json", config_of(options).dump(1) + '\n');
  Json metrics = Json::object().set("pictures", data.pictures.size()).set("unreadable", data.unreadable);
  Json heads = Json::object();
  std::string text;
  for (size_t h = 0; h < accuracy.size(); ++h) {
    heads.set(options.heads[h].name, accuracy[h]);
    text += fmt::format("{:<12} {:.4f}\n", options.heads[h].name, accuracy[h]);
  }
  metrics.set("held_out", held_out).set("accuracy", std::move(heads));
  write_file_atomic(out / "metrics.json", metrics.dump(1) + '\n');
  if (s.global.json) text = metrics.dump(1) + '\n';
  if (!s.global.quiet) std::fputs(text.c_str(), stdout);
  return kExitDone;
}

}  // namespace plumb::shapes
