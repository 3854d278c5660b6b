#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "engine/io/image.h"

namespace plumb {

/// Decodes a JPEG to grey or RGB; the pixels are Pillow's (and so torchvision's): accurate integer transform, smooth
/// upsampling of the colours, CMYK and YCCK read the way Adobe writes them and turned into RGB. The orientation that a
/// camera notes (EXIF tag 274) is applied, as Pillow's exif_transpose does: the picture is upright. Colour profiles are
/// ignored. Baseline, progressive and arithmetic coding; 8 bits a sample.
/// Memory is bounded: more than kMaxPixels, sizes that the file is too small to hold, and more than a thousand scans
/// are refused. Throws IoError "jpeg: …; SOURCE" for anything broken, a truncated file among it.
Image decode_jpeg(std::span<const uint8_t> bytes, const std::string& source);
/// Also throws when the file cannot be read.
Image read_jpeg(const std::filesystem::path& path);

/// A baseline JPEG of a grey or RGB picture; quality 1 to 100 as libjpeg means it, colours at half the resolution.
/// Throws ValueError when sizes, channels and pixels do not agree, a side passes 65500, or quality is out of range.
std::vector<uint8_t> encode_jpeg(const Image& image, int quality = 90);
/// Writes atomically (file.h).
void write_jpeg(const std::filesystem::path& path, const Image& image, int quality = 90);

}  // namespace plumb
