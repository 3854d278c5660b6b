#include "engine/io/jpeg.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/error.h"
#include "engine/io/exif.h"
#include "engine/io/file.h"
#include "engine/io/png.h"
#include "engine/io/read_image.h"
#include "engine/random/random_key.h"
#include "tests/support/golden.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using plumb::test::Golden;
using plumb::test::TempDir;

namespace {

using Bytes = std::vector<uint8_t>;

Bytes golden_file(const std::string& name) {
  const Tensor file = Golden("pictures").tensor(Json::object().set("case", name), "file");
  return file.to_vector<uint8_t>();
}

std::string error_of(const Bytes& bytes) {
  try {
    decode_jpeg(bytes, "a.jpg");
  } catch (const IoError& error) {
    return error.what();
  }
  return "decodes";
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

/// Shades without edges: what JPEG keeps.
Image smooth(int64_t width, int64_t height, int64_t channels) {
  Image image{width, height, channels, {}};
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (int64_t c = 0; c < channels; ++c)
        image.pixels.push_back(uint8_t(128 + 60 * std::sin(double(x) / 9 + double(c)) + 40 * std::cos(double(y) / 7)));
  return image;
}

}  // namespace

TEST_CASE("jpeg: pixels are Pillow's: samplings, progressive, restarts, CMYK, every orientation") {
  const Golden golden("pictures");
  const std::vector<Json> cases = golden.cases("jpeg");
  CHECK(cases.size() == 17);
  for (const Json& entry : cases) {
    CAPTURE(entry.at("case").as_string());
    const Tensor expected = golden.tensor(entry, "y");
    const Image image = decode_jpeg(golden.tensor(entry, "file").to_vector<uint8_t>(), "golden");
    CHECK(image.height == expected.size(0));
    CHECK(image.width == expected.size(1));
    CHECK(image.channels == expected.size(2));
    CHECK(image.pixels == expected.to_vector<uint8_t>());
  }
}

TEST_CASE("jpeg: what is written is read back, nearly") {
  const TempDir dir;
  for (const int64_t channels : {1, 3}) {
    const Image image = smooth(65, 40, channels);
    write_jpeg(dir / "a.jpg", image, 95);
    const Image read = read_jpeg(dir / "a.jpg");
    CHECK(read.channels == channels);
    REQUIRE(read.pixels.size() == image.pixels.size());
    int worst = 0;
    for (size_t i = 0; i < read.pixels.size(); ++i)
      worst = std::max(worst, std::abs(int(read.pixels[i]) - int(image.pixels[i])));
    CHECK(worst < 24);
  }
  CHECK_THROWS_AS(encode_jpeg({2, 2, 4, Bytes(16)}), ValueError);
  CHECK_THROWS_AS(encode_jpeg({2, 2, 3, Bytes(11)}), ValueError);
  CHECK_THROWS_AS(encode_jpeg({0, 2, 3, {}}), ValueError);
  CHECK_THROWS_AS(encode_jpeg({70000, 1, 1, Bytes(70000)}), ValueError);
  CHECK_THROWS_AS(encode_jpeg({1, 1, 1, Bytes(1)}, 0), ValueError);
}

TEST_CASE("jpeg: cut anywhere, a picture is refused") {
  for (const char* name : {"rgb_420", "progressive", "cmyk", "restarts", "turned6"}) {
    const Bytes whole = golden_file(name);
    CHECK(error_of(whole) == "decodes");
    // Without the last two bytes, the end marker, all pixels are there; libjpeg calls it truncated all the same.
    for (size_t size = 0; size < whole.size(); size += 1 + size / 37)
      CHECK(contains(error_of({whole.begin(), whole.begin() + long(size)}), "; a.jpg"));
    CHECK(contains(error_of({whole.begin(), whole.end() - 2}), "Premature end of JPEG file"));
  }
}

TEST_CASE("jpeg: flipped bits are no crash") {
  for (const char* name : {"rgb_420", "progressive", "cmyk", "turned6", "grey"}) {
    const Bytes whole = golden_file(name);
    for (uint64_t i = 0; i < 300; ++i) {
      Bytes broken = whole;
      for (uint64_t k = 0; k <= i % 3; ++k) broken[mix64(3 * i + k) % broken.size()] ^= uint8_t(1 << mix64(i + k) % 8);
      error_of(broken);
    }
  }
}

TEST_CASE("jpeg: sizes past the pixel limit or past what the file can hold are refused before allocating") {
  Bytes bytes = golden_file("grey");
  size_t frame = 0;
  while (bytes[frame] != 0xFF || bytes[frame + 1] != 0xC0) ++frame;
  const auto set_size = [&](int width, int height) {
    bytes[frame + 5] = uint8_t(height >> 8), bytes[frame + 6] = uint8_t(height);
    bytes[frame + 7] = uint8_t(width >> 8), bytes[frame + 8] = uint8_t(width);
  };
  set_size(65000, 65000);
  CHECK(contains(error_of(bytes), "jpeg: image must have at most 268435456 pixels (65000 x 65000); a.jpg"));
  set_size(16000, 16000);
  CHECK(contains(error_of(bytes), "jpeg: file must be large enough for its image ("));
  set_size(0, 5);
  CHECK(contains(error_of(bytes), "jpeg: file must be a valid JPEG ("));
}

TEST_CASE("exif: broken blocks mean upright") {
  const Bytes little = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0};
  CHECK(exif_orientation(little) == 6);
  for (size_t size = 0; size < little.size() - 2; ++size) {
    const int found = exif_orientation({little.data(), size});
    CHECK((found == 1 || found == 6));
  }
  CHECK(exif_orientation(Bytes{'I', 'I', 42, 0, 255, 255, 255, 255}) == 1);
  Bytes wrong = little;
  wrong[18] = 9;
  CHECK(exif_orientation(wrong) == 1);
}

TEST_CASE("image: PNG and JPEG are told by their first bytes, others named") {
  const TempDir dir;
  const Image image = smooth(6, 4, 3);
  write_png(dir / "really_png.jpg", image);
  CHECK(read_image(dir / "really_png.jpg") == image);
  write_jpeg(dir / "really_jpeg.png", image);
  CHECK(read_image(dir / "really_jpeg.png") == read_jpeg(dir / "really_jpeg.png"));
  const auto message = [](std::string_view text) {
    try {
      decode_image({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, "x.png");
    } catch (const IoError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(message("") == "image: file must be a PNG or a JPEG (it is empty); x.png");
  CHECK(contains(message(std::string_view("RIFF\0\0\0\0WEBPVP8 ", 16)), "WebP"));
  CHECK(contains(message("version https://git-lfs.github.com/spec/v1"), "Git LFS"));
}

TEST_CASE("image: to RGB, grey is copied and alpha left out") {
  CHECK(to_rgb({2, 1, 1, {7, 9}}) == Image{2, 1, 3, {7, 7, 7, 9, 9, 9}});
  CHECK(to_rgb({1, 1, 4, {1, 2, 3, 0}}) == Image{1, 1, 3, {1, 2, 3}});
  CHECK(to_rgb({1, 1, 3, {1, 2, 3}}) == Image{1, 1, 3, {1, 2, 3}});
}
