#include "align/worlds/shapes/analyser.h"

#include <algorithm>
#include <cmath>

#include "align/worlds/shapes/segment.h"
#include "align/worlds/shapes/shape_fit.h"
#include "engine/require.h"

namespace plumb::shapes {
namespace {

constexpr size_t kMostObjects = 6;
constexpr int64_t kReach = 4;        // pixels around a region that its blurred edge may cover
constexpr double kGroundOff = 0.12;  // of a ground from grey, and past the world's range
constexpr double kColorOff = 0.25;   // rms of a region's pixels from the line between ground and colour
constexpr double kColorRatio = 0.7;  // to the second best colour
constexpr double kMisfit = 0.10, kMisfitRatio = 0.75;
constexpr double kClear = 0.1;  // fitting the second best well cannot change the choice
constexpr double kResidual = 0.10;

/// Thrown away: area of the smallest object times this.
constexpr double kSpeck = 0.35, kSmallestArea = 1.17;  // the star's, of radius 1

class Analyser {
 public:
  Analyser(const Image& image, const World& world) : world_(world), pixels_(shapes::pixels_of(image)) {}

  Reading read() {
    reading_.readable = read_ground() && read_regions();
    measure();
    if (reading_.readable && reading_.residual > kResidual) fail("residual");
    return std::move(reading_);
  }

 private:
  bool fail(const char* problem) {
    reading_.readable = false;
    reading_.problem = problem;
    reading_.quality = 0;
    return false;
  }

  bool read_ground() {
    ground_ = ground_of(pixels_);
    double& level = reading_.scene.ground.level;
    level = (ground_[0] + ground_[1] + ground_[2]) / 3;
    for (const double channel : ground_)
      if (std::abs(channel - level) > kGroundOff) return fail("ground");
    if (level < world_.ground.low - kGroundOff || level > world_.ground.high + kGroundOff) return fail("ground");
    return true;
  }

  bool read_regions() {
    const double radius = world_.small.low / 2;
    const auto least = int64_t(kSpeck * smallest_area() * radius * radius);
    const Segments segments = segment(pixels_, ground_, world_.hues, least, kReach);
    if (segments.specks > least / 2) return fail("specks");
    if (segments.regions.size() > kMostObjects) return fail("crowded");
    for (size_t r = 0; r < segments.regions.size(); ++r)
      if (!read_color(segments.regions[r]) || !read_shape(segments, r)) return false;
    std::vector<Object>& objects = reading_.scene.objects;
    std::sort(objects.begin(), objects.end(), [](const Object& a, const Object& b) { return a.x < b.x; });
    for (const double blur : blurs_) reading_.scene.blur += blur / double(blurs_.size());
    return true;
  }

  double smallest_area() const {
    const bool star = std::find(world_.shapes.begin(), world_.shapes.end(), ShapeKind::star) != world_.shapes.end();
    return star ? kSmallestArea : 2 * kSmallestArea;
  }

  /// Root mean square of the region's pixels from the mixtures of ground and colour.
  double color_off(const Region& region, Hue hue) const {
    double sum = 0;
    for (const int64_t i : region.pixels) {
      const Mixture mixture = mixture_of(pixels_.at(i), ground_, rgb_of(hue));
      const double past = std::max(mixture.share - 1, 0.0) + std::max(0.3 - mixture.share, 0.0);
      sum += mixture.off * mixture.off + past * past;
    }
    return std::sqrt(sum / double(region.pixels.size()));
  }

  bool read_color(const Region& region) {
    double best = 1e30, next = 1e30;
    for (const Hue hue : world_.hues) {
      const double off = color_off(region, hue);
      if (off < best)
        next = best, best = off, object_.hue = hue;
      else
        next = std::min(next, off);
    }
    return best <= kColorOff && best <= kColorRatio * next ? true : fail("color");
  }

  Patch patch_of(const Segments& segments, size_t r) const {
    const int64_t size = pixels_.size;
    int64_t left = size, top = size, right = 0, bottom = 0;
    for (int64_t i = 0; i < size * size; ++i) {
      if (segments.owner[size_t(i)] != int(r)) continue;
      left = std::min(left, i % size), right = std::max(right, i % size + 1);
      top = std::min(top, i / size), bottom = std::max(bottom, i / size + 1);
    }
    Patch patch{.coverage = {.left = left, .top = top, .width = right - left, .height = bottom - top}};
    for (int64_t y = top; y < bottom; ++y)
      for (int64_t x = left; x < right; ++x) {
        const int64_t i = y * size + x;
        const double share = mixture_of(pixels_.at(i), ground_, rgb_of(object_.hue)).share;
        patch.coverage.values.push_back(std::clamp(share, -0.3, 1.3));
        patch.counts.push_back(segments.owner[size_t(i)] == int(r));
      }
    return patch;
  }

  bool read_shape(const Segments& segments, size_t r) {
    const Patch patch = patch_of(segments, r);
    // Only the two that fit best are worth fitting well.
    std::vector<ShapeFit> fits;
    for (const ShapeKind shape : world_.shapes) fits.push_back(fit_shape(shape, patch, world_.blur.high + 0.5));
    const auto better = [](const ShapeFit& a, const ShapeFit& b) { return a.misfit < b.misfit; };
    std::partial_sort(fits.begin(), fits.begin() + 2, fits.end(), better);
    ShapeFit best = refined(fits[0], patch), next = fits[1];
    if (best.misfit > kClear * next.misfit) next = refined(next, patch);
    if (better(next, best)) std::swap(best, next);
    if (best.misfit >= reading_.misfit) reading_.misfit = best.misfit, reading_.next_misfit = next.misfit;
    if (best.misfit > kMisfit || best.misfit > kMisfitRatio * next.misfit) {
      reading_.misfit = best.misfit, reading_.next_misfit = next.misfit;
      return fail("shape");
    }
    const double diameter = 2 * best.object.radius, largest = std::max(world_.small.high, world_.large.high);
    if (diameter < 0.75 * world_.small.low || diameter > 1.3 * largest) return fail("size");
    best.object.hue = object_.hue;
    reading_.scene.objects.push_back(best.object);
    blurs_.push_back(best.blur);
    return true;
  }

  double distance_to(const Scene& scene) const {
    const std::vector<double> drawn = render_linear(scene, pixels_.size);
    double sum = 0;
    for (size_t i = 0; i < drawn.size(); ++i) sum += (drawn[i] - pixels_.values[i]) * (drawn[i] - pixels_.values[i]);
    return std::sqrt(sum / double(drawn.size()));
  }

  void measure() {
    Scene& scene = reading_.scene;
    // Between none and the least blur; what is read below that is the softness of an edge.
    const double least = world_.blur.low / 2;
    reading_.residual = distance_to(scene);
    if (!reading_.readable || scene.objects.empty()) return;
    Scene crisp = scene, empty = scene;
    crisp.blur = empty.blur = 0;
    empty.objects.clear();
    const std::vector<double> drawn = render_linear(crisp, pixels_.size), ground = render_linear(empty, pixels_.size);
    double content = 0;
    for (size_t i = 0; i < drawn.size(); ++i) content += (drawn[i] - ground[i]) * (drawn[i] - ground[i]);
    reading_.quality = std::max(0.0, 1 - distance_to(crisp) / std::sqrt(content / double(drawn.size())));
    if (scene.blur < least) scene.blur = 0;
  }

  const World& world_;
  const Pixels pixels_;
  Rgb ground_ = {};
  Object object_;
  std::vector<double> blurs_;
  Reading reading_;
};

}  // namespace

Reading analyse(const Image& image, const World& world) {
  require<ValueError>(image.width == world.picture_size && image.height == world.picture_size,
                      "shapes: a picture of this world must be {0}x{0} ({1}x{2})", world.picture_size, image.width,
                      image.height);
  return Analyser(image, world).read();
}

Json to_json(const Reading& reading) {
  if (!reading.readable) {
    Json json = Json::object().set("problem", reading.problem);
    if (reading.problem == "shape") json.set("misfits", Json(Json::Array{reading.misfit, reading.next_misfit}));
    return json;
  }
  const auto rounded = [](double value) { return std::round(100 * value) / 100; };
  Json objects = Json::array();
  for (const Object& object : reading.scene.objects) {
    Json json = Json::object();
    json.set("shape", name_of(object.shape)).set("color", name_of(object.hue));
    json.set("x", rounded(object.x)).set("y", rounded(object.y)).set("radius", rounded(object.radius));
    objects.push_back(std::move(json));
  }
  return Json::object().set("objects", std::move(objects)).set("blur", rounded(reading.scene.blur));
}

bool same_content(const Scene& a, const Scene& b, const World& world, double tolerance) {
  if (a.objects.size() != b.objects.size() || a.quality() != b.quality()) return false;
  return std::all_of(a.objects.begin(), a.objects.end(), [&](const Object& one) {
    return std::any_of(b.objects.begin(), b.objects.end(), [&](const Object& other) {
      return one.shape == other.shape && one.hue == other.hue && std::abs(one.x - other.x) <= tolerance &&
             std::abs(one.y - other.y) <= tolerance && size_of(world, one.radius) == size_of(world, other.radius);
    });
  });
}

}  // namespace plumb::shapes
