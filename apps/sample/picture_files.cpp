#include "apps/sample/picture_files.h"

#include <algorithm>
#include <cmath>

#include "engine/format.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {

Image picture_of(const Tensor& pixels) {
  const bool fits = pixels.rank() == 4 && pixels.size(0) == 1 && (pixels.size(1) == 1 || pixels.size(1) == 3);
  require<ShapeError>(fits, "picture: pixels must be [1, 1 or 3, H, W]; {}", pixels);
  const int64_t channels = pixels.size(1), height = pixels.size(2), width = pixels.size(3);
  Image image{.width = width, .height = height, .channels = channels, .pixels = {}};
  image.pixels.resize(size_t(channels * height * width));
  const std::vector<float> values = flatten(pixels.to(kCpu).to(DType::f32)).to_vector<float>();
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t i = 0; i < height * width; ++i) {
      const float unit = std::clamp(values[size_t(c * height * width + i)] * 0.5f + 0.5f, 0.0f, 1.0f);
      image.pixels[size_t(i * channels + c)] = uint8_t(std::nearbyint(unit * 255));
    }
  return image;
}

Tensor pixels_of(const Image& image, int64_t channels) {
  const int64_t area = image.width * image.height;
  Tensor pixels = empty({1, channels, image.height, image.width});
  float* out = pixels.mutable_data<float>();
  for (int64_t i = 0; i < area; ++i) {
    const uint8_t* at = image.pixels.data() + i * image.channels;
    const auto unit = [&](int64_t c) { return float(at[std::min(c, image.channels - 1)]) / 255.0f; };
    for (int64_t c = 0; c < channels; ++c)
      out[c * area + i] = 2 * (channels == 1 ? (unit(0) + unit(1) + unit(2)) / 3 : unit(c)) - 1;
  }
  return pixels;
}

Image grid_of(const std::vector<Image>& pictures) {
  const int64_t count = int64_t(pictures.size());
  const int64_t columns = int64_t(std::ceil(std::sqrt(double(count)))), rows = (count + columns - 1) / columns;
  int64_t width = 1, height = 1, channels = 1;
  for (const Image& picture : pictures) {
    width = std::max(width, picture.width), height = std::max(height, picture.height);
    channels = std::max(channels, picture.channels);
  }
  Image grid{.width = columns * width, .height = rows * height, .channels = channels, .pixels = {}};
  require<ValueError>(grid.width * grid.height <= kMaxPixels, "grid: {} pictures of {} x {} pixels are too many", count,
                      width, height);
  grid.pixels.assign(size_t(grid.width * grid.height * channels), 0);
  for (int64_t n = 0; n < count; ++n) {
    const Image& picture = pictures[size_t(n)];
    for (int64_t y = 0; y < picture.height; ++y)
      for (int64_t x = 0; x < picture.width; ++x)
        for (int64_t c = 0; c < channels; ++c) {
          const int64_t from = (y * picture.width + x) * picture.channels + std::min(c, picture.channels - 1);
          const int64_t row = n / columns * height + y, column = n % columns * width + x;
          grid.pixels[size_t((row * grid.width + column) * channels + c)] = picture.pixels[size_t(from)];
        }
  }
  return grid;
}

std::string parameters_text(const PictureFacts& f) {
  std::string text = f.prompt.empty() ? "" : f.prompt + "\n";
  if (!f.negative.empty()) text += "Negative prompt: " + f.negative + "\n";
  text += fmt::format("Steps: {}, Sampler: {}, CFG scale: {}, Seed: {}, Size: {}x{}, Model: {}", f.steps, f.sampler,
                      f.guidance_scale, f.seed, f.width, f.height, f.model);
  if (f.label >= 0) text += fmt::format(", Class: {}", f.label);
  if (f.guidance_rescale > 0) text += fmt::format(", CFG Rescale phi: {}", f.guidance_rescale);
  if (!f.init_image.empty()) text += fmt::format(", Init image: {}, Denoising strength: {}", f.init_image, f.strength);
  return text + fmt::format(", RNG: {}", f.rng);
}

Json metadata_line(const std::string& file_name, const PictureFacts& f) {
  Json json = Json::object();
  json.set("file_name", file_name).set("text", f.prompt);
  if (!f.negative.empty()) json.set("negative_prompt", f.negative);
  if (f.label >= 0) json.set("class", f.label);
  json.set("seed", f.seed).set("num_inference_steps", f.steps).set("guidance_scale", f.guidance_scale);
  json.set("width", f.width).set("height", f.height).set("sampler", f.sampler).set("rng", f.rng);
  if (!f.init_image.empty()) json.set("init_image", f.init_image).set("strength", f.strength);
  return json;
}

}  // namespace plumb
