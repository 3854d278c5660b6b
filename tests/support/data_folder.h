#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/file.h"
#include "engine/io/png.h"
#include "engine/random/random_key.h"
#include "tests/support/temp_dir.h"

namespace plumb::test {

/// 2 x 2 pixels of one shade.
inline Image plain_picture(uint8_t shade) { return {2, 2, 3, std::vector<uint8_t>(12, shade)}; }

inline std::string png_bytes(uint8_t shade) {
  const std::vector<uint8_t> bytes = encode_png(plain_picture(shade));
  return {bytes.begin(), bytes.end()};
}

/// Noise of its own for every number.
inline Image noise_picture(int64_t width, int64_t height, int64_t number) {
  Image image{width, height, 3, {}};
  for (int64_t k = 0; k < width * height * 3; ++k)
    image.pixels.push_back(uint8_t(mix64(uint64_t(1000 * number + k / 7))));
  return image;
}

/// A folder to fill; folders in it are made as they are needed.
struct DataFolder {
  TempDir dir;

  std::string root() const { return dir.path().string(); }
  const DataFolder& text(const std::string& name, std::string_view bytes) const {
    std::filesystem::create_directories((dir / name).parent_path());
    write_file_atomic(dir / name, bytes);
    return *this;
  }
  const DataFolder& picture(const std::string& name, uint8_t shade = 0) const { return text(name, png_bytes(shade)); }
};

}  // namespace plumb::test
