#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "engine/io/image.h"

namespace plumb {

/// Text stored with a picture, by keyword; the generation parameters are under "parameters".
using PngText = std::map<std::string, std::string>;

struct PngFile {
  Image image;
  PngText text;  // UTF-8; the last of equal keywords
};

/// Decodes a PNG of any kind to 8 bits: palettes become RGB, small depths are widened, 16 bits rounded, transparency
/// becomes alpha (grey with alpha becomes RGBA), interlacing is undone; of an APNG the default image. Colour profiles
/// and gamma are ignored. Memory beyond the pixels is bounded; more than kMaxPixels, and sizes that the file is too
/// small to hold, are refused before allocating. Throws IoError "png: …; SOURCE" for anything broken: signature,
/// checksums, structure, missing or extra data.
PngFile decode_png(std::span<const uint8_t> bytes, const std::string& source);
/// Also throws when the file cannot be read.
PngFile read_png(const std::filesystem::path& path);

/// The same image and text always give the same bytes (for one version of libpng and zlib). ASCII text goes to tEXt
/// chunks, other text to iTXt.
/// Throws ValueError when sizes, channels and pixels do not agree or a side or kMaxPixels is passed; when a keyword is
/// not 1 to 79 printable ASCII characters without blanks at its ends or two in a row; when text holds NUL or is not
/// UTF-8.
std::vector<uint8_t> encode_png(const Image& image, const PngText& text = {});
/// Writes atomically (file.h).
void write_png(const std::filesystem::path& path, const Image& image, const PngText& text = {});

}  // namespace plumb
