#pragma once

#include <cstdint>
#include <span>

#include "engine/io/image.h"

namespace plumb {

/// The orientation (tag 274 of the first directory) that an EXIF block gives, 1 to 8; 1, upright, when the block has
/// none or is broken. `exif` begins with its TIFF header.
int exif_orientation(std::span<const uint8_t> exif);

/// The picture turned and mirrored so that it is upright:
///   1 as it is · 2 mirrored · 3 by 180 degrees · 4 upside down · 5 transposed · 6, 8 by 90 degrees · 7 transversed
Image upright(Image image, int orientation);

}  // namespace plumb
