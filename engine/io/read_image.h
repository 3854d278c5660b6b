#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "engine/io/image.h"

namespace plumb {

/// Whether these first bytes of a file (12 are enough) are those of a picture that decode_image reads.
bool is_image(std::span<const uint8_t> bytes);

/// A PNG or JPEG, told by its first bytes and not by its name; grey, RGB or RGBA. Throws IoError naming `source`: for
/// another kind of file (WebP, GIF and the like by their names), and as decode_png and decode_jpeg do.
Image decode_image(std::span<const uint8_t> bytes, const std::string& source);
/// Also throws when the file cannot be read.
Image read_image(const std::filesystem::path& path);

/// As RGB: grey in all three channels, alpha left out (not blended), as Pillow's convert("RGB").
Image to_rgb(Image image);

/// As grey: 0.299 R + 0.587 G + 0.114 B in Pillow's fixed point, alpha left out, as its convert("L").
Image to_grey(Image image);

}  // namespace plumb
