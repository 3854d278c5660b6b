#include "engine/io/read_image.h"

#include <string_view>

#include "engine/error.h"
#include "engine/io/file.h"
#include "engine/io/jpeg.h"
#include "engine/io/png.h"
#include "engine/require.h"

namespace plumb {
namespace {

bool is_jpeg(std::string_view text) { return text.starts_with("\xFF\xD8\xFF"); }
bool is_png(std::string_view text) { return text.starts_with("\x89PNG\r\n\x1A\n"); }

std::string_view as_text(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// What else a picture could be, for a message.
const char* kind_of(std::string_view text) {
  if (text.empty()) return "empty";
  if (text.starts_with("RIFF") && text.substr(0, 12).ends_with("WEBP")) return "WebP";
  if (text.starts_with("GIF8")) return "GIF";
  if (text.starts_with("BM")) return "BMP";
  if (text.starts_with("II*") || text.starts_with("MM")) return "TIFF";
  if (text.size() >= 12 && text.substr(4, 4) == "ftyp") return "AVIF or HEIC";
  if (text.starts_with("version https://git-lfs")) return "a Git LFS pointer: fetch the file itself";
  return "of no known kind";
}

}  // namespace

bool is_image(std::span<const uint8_t> bytes) { return is_png(as_text(bytes)) || is_jpeg(as_text(bytes)); }

Image decode_image(std::span<const uint8_t> bytes, const std::string& source) {
  const std::string_view text = as_text(bytes);
  if (is_png(text)) return decode_png(bytes, source).image;
  if (is_jpeg(text)) return decode_jpeg(bytes, source);
  raise<IoError>("image: file must be a PNG or a JPEG (it is {}); {}", kind_of(text), source);
}

Image read_image(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  return decode_image({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, path.string());
}

Image to_rgb(Image image) {
  if (image.channels == 3) return image;
  const size_t count = size_t(image.width * image.height), channels = size_t(image.channels);
  Image rgb{image.width, image.height, 3, std::vector<uint8_t>(count * 3)};
  for (size_t i = 0; i < count; ++i)
    for (size_t c = 0; c < 3; ++c) rgb.pixels[3 * i + c] = image.pixels[channels * i + (channels == 1 ? 0 : c)];
  return rgb;
}

Image to_grey(Image image) {
  if (image.channels == 1) return image;
  const size_t count = size_t(image.width * image.height), channels = size_t(image.channels);
  Image grey{image.width, image.height, 1, std::vector<uint8_t>(count)};
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* pixel = &image.pixels[channels * i];
    grey.pixels[i] = uint8_t((19595 * pixel[0] + 38470 * pixel[1] + 7471 * pixel[2] + 32768) >> 16);
  }
  return grey;
}

}  // namespace plumb
