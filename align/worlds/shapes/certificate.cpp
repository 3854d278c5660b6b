#include "align/worlds/shapes/certificate.h"

#include <algorithm>
#include <cmath>

#include "align/worlds/shapes/render.h"
#include "engine/parallel.h"
#include "engine/random/fills.h"
#include "engine/require.h"

namespace plumb::shapes {
namespace {

/// What reading one picture showed.
struct Trial {
  Scene truth;
  Reading reading;
};

Trial read_one(const World& world, const RandomKey& key, const Damage& damage, int64_t index) {
  const RandomKey own = key.fork("certificate").at_sample(uint64_t(index));
  Trial trial;
  trial.truth = draw_scene(world, kAllCategories[size_t(index % kCategories)], own, Pairs::all);
  trial.reading = analyse(damaged(trial.truth, world.picture_size, damage, own), world);
  return trial;
}

const Object* near(const Scene& scene, const Object& object) {
  for (const Object& other : scene.objects)
    if (std::hypot(other.x - object.x, other.y - object.y) < object.radius) return &other;
  return nullptr;
}

void add(Certificate& sum, const World& world, const Trial& trial) {
  const Reading& reading = trial.reading;
  ++sum.pictures;
  sum.mean_residual += reading.residual;
  if (!reading.readable) {
    ++sum.unreadable;
    ++sum.problems[reading.problem];
    return;
  }
  sum.worst_misfit = std::max(sum.worst_misfit, reading.misfit);
  sum.quality_right += reading.scene.quality() == trial.truth.quality();
  Scene read = reading.scene;
  if (sum.damage.soften > 0) read.blur = trial.truth.blur;
  sum.right += same_content(read, trial.truth, world);
  for (const Object& object : trial.truth.objects)
    if (const Object* other = near(reading.scene, object)) {
      ++sum.shapes[size_t(object.shape)][size_t(other->shape)];
      ++sum.hues[size_t(object.hue)][size_t(other->hue)];
    }
}

}  // namespace

const std::vector<Damage>& damages() {
  static const std::vector<Damage> all = {
      {.name = "clean"},
      {.name = "noise 1%", .noise = 0.01},
      {.name = "noise 3%", .noise = 0.03},
      {.name = "noise 5%", .noise = 0.05},
      {.name = "soft 0.5", .soften = 0.5},
      {.name = "soft 1", .soften = 1},
      {.name = "faded 10%", .fade = 0.1},
      {.name = "soft 0.7, noise 3%", .noise = 0.03, .soften = 0.7},
  };
  return all;
}

Image damaged(const Scene& scene, int64_t size, const Damage& damage, const RandomKey& key) {
  std::vector<double> pixels = render_linear(scene, size), noise(pixels.size());
  blur_picture(pixels, size, size, 3, damage.soften);
  fill_normal(key.fork("damage"), {1, int64_t(noise.size())}, noise.data());
  Image image{.width = size, .height = size, .channels = 3, .pixels = std::vector<uint8_t>(pixels.size())};
  for (size_t i = 0; i < pixels.size(); ++i) {
    const double faded = pixels[i] + damage.fade * (scene.ground.level - pixels[i]);
    image.pixels[i] = uint8_t(std::lround(255 * std::clamp(faded + damage.noise * noise[i], 0.0, 1.0)));
  }
  return image;
}

Certificate certify(const World& world, const RandomKey& key, int64_t count, const Damage& damage) {
  require<ValueError>(count >= 1, "shapes: a certificate needs at least one picture ({})", count);
  std::vector<Trial> trials(static_cast<size_t>(count));
  parallel_for(count, 8, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) trials[size_t(i)] = read_one(world, key, damage, i);
  });
  Certificate sum{.damage = damage};
  for (const Trial& trial : trials) add(sum, world, trial);
  sum.mean_residual /= double(count);
  return sum;
}

}  // namespace plumb::shapes
