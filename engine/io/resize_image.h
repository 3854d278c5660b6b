#pragma once

#include <cstdint>
#include <string_view>

#include "engine/io/image.h"

namespace plumb {

/// Kernels of resize_image, by their support in pixels of the smaller picture: box 1/2, bilinear (a triangle) and
/// hamming 1, bicubic (a = -1/2) 2, lanczos 3.
enum class ResizeFilter { box, bilinear, hamming, bicubic, lanczos };

/// Throws ValueError for another name.
ResizeFilter resize_filter_from_name(std::string_view name);
std::string_view name_of(ResizeFilter filter);

/// The picture at another size, with the very bytes Pillow gives (and so torchvision's Resize on pictures): the kernel
/// is as wide as the larger of the two pixel sizes, so that making smaller averages; columns first, rows after, each
/// rounded to 8 bits; weights in 22-bit fixed point. A size that stays is not filtered.
/// Throws ValueError when a side is not positive, the result has more than kMaxPixels, or the picture has alpha:
/// whether that is to be blended or dropped is the caller's to say (to_rgb).
Image resize_image(const Image& image, int64_t width, int64_t height, ResizeFilter filter);

}  // namespace plumb
