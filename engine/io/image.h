#pragma once

#include <cstdint>
#include <vector>

namespace plumb {

/// A picture of 8 bits a channel: rows from the top, pixels from the left, channels together.
/// channels: 1 (grey), 3 (RGB) or 4 (RGB and alpha, not multiplied in).
struct Image {
  int64_t width = 0;
  int64_t height = 0;
  int64_t channels = 3;
  std::vector<uint8_t> pixels;  // [height, width, channels]

  bool operator==(const Image&) const = default;
};

/// Most pixels a picture may have, to bound memory before anything is allocated.
inline constexpr int64_t kMaxPixels = int64_t(1) << 28;

}  // namespace plumb
