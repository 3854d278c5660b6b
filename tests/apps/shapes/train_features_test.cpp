#include "apps/shapes/train_features.h"

#include <doctest/doctest.h>

#include "align/worlds/shapes/attributes.h"
#include "align/worlds/shapes/prompts.h"
#include "align/worlds/shapes/render.h"
#include "engine/error.h"
#include "engine/format.h"
#include "engine/io/file.h"
#include "engine/io/png.h"
#include "nn/state_dict.h"
#include "tests/support/numeric.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using namespace plumb::shapes;
using namespace plumb::test;

namespace {

/// `count` pictures of the tiny world; returns the attributes they were drawn with.
std::vector<int64_t> write_pictures(const TempDir& folder, int64_t count) {
  const World world = tiny_world();
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < count; ++i) {
    const Example example = draw_example(world, {.seed = 4}, i);
    write_file_atomic(folder / fmt::format("{:04}.png", i), encode_png(render(example.scene, world.picture_size)));
    for (int64_t label : attributes_of(example.scene, world)) labels.push_back(label);
  }
  return labels;
}

}  // namespace

TEST_CASE("shapes features: labels are what the pictures were drawn from; training tells colours; it repeats") {
  const TempDir folder;
  const std::vector<int64_t> labels = write_pictures(folder, 260);
  const World world = tiny_world();
  const LabelledPictures data = label_pictures(read_picture_dataset(folder.path()), world, 250);
  CHECK(data.pictures.size() == 250);
  CHECK(data.unreadable == 0);
  CHECK(data.labels == std::vector<int64_t>(labels.begin(), labels.begin() + 250 * 6));
  PictureClassifierOptions options{.block_out_channels = {8, 8, 16}, .feature_dim = 16};
  options.heads = attribute_heads(world);
  const FeatureTraining few{.steps = 60, .batch_size = 32, .learning_rate = 5e-3, .quiet = true};
  const auto model = train_features(data, 50, options, few, {.seed = 1});
  const std::vector<double> accuracy = head_accuracy(*model, data, 50);
  REQUIRE(accuracy.size() == 6);
  CHECK(accuracy[2] > 0.4);  // six colours: 0.17 by chance
  CHECK(accuracy[4] > 0.4);
  const auto again = train_features(data, 50, options, few, {.seed = 1});
  const StateDict first = state_dict(*model), second = state_dict(*again);
  for (size_t i = 0; i < first.size(); ++i) CHECK(bits_of(first[i].tensor) == bits_of(second[i].tensor));
}

TEST_CASE("shapes features: refuses pictures of another size, and a folder it cannot read") {
  const TempDir folder;
  write_pictures(folder, 2);
  World other = full_world();
  CHECK(message_of([&] {
          label_pictures(read_picture_dataset(folder.path()), other, 5);
        }).starts_with("shapes features: pictures must be the world's, 64x64 in colour (32x32, 3 channels); "));
  const TempDir grey;
  write_file_atomic(grey / "a.png", encode_png(Image{32, 32, 3, std::vector<uint8_t>(32 * 32 * 3, uint8_t(255))}));
  CHECK(message_of([&] { label_pictures(read_picture_dataset(grey.path()), tiny_world(), 5); }) ==
        "shapes features: the analyser can read none of 1 pictures; is --world the one they were made in?");
}
