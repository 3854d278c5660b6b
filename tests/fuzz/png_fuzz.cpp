#include <string>

#include "engine/error.h"
#include "engine/io/png.h"
#include "tests/fuzz/check.h"
#include "tests/support/raw_png.h"

// The first byte chooses what is made right so that mutations get past it: bit 0 the signature, bit 1 the checksums,
// bit 2 (with a small header of its own) the compressed stream.
namespace {

using plumb::test::RawPng;

void mend_checksums(std::string& file) {
  for (size_t at = 8; at + 12 <= file.size();) {
    const auto byte = [&](size_t i) { return size_t(uint8_t(file[at + i])); };
    const size_t size = byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
    if (size > file.size() - at - 12) return;
    const std::string crc =
        plumb::test::big_endian(plumb::test::crc32(std::string_view(file).substr(at + 4, size + 4)));
    file.replace(at + 8 + size, 4, crc);
    at += size + 12;
  }
}

std::string from_rows(const uint8_t* data, size_t size) {
  static constexpr int kDepths[] = {1, 2, 4, 8, 16};
  static constexpr int kColors[] = {0, 2, 3, 4, 6};
  RawPng png;
  png.width = 1 + data[0] % 32;
  png.height = 1 + data[1] % 32;
  png.depth = kDepths[data[2] % 5];
  png.color = kColors[data[2] / 5 % 5];
  png.interlaced = data[2] & 128;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 3, size - 3);
  if (png.color == 3) png.before_data = plumb::test::png_chunk("PLTE", rest.substr(0, 12));
  png.rows = rest;
  return png.build();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 4) return 0;
  std::string file(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] & 4) {
    file = from_rows(data + 1, size - 1);
  } else {
    if (data[0] & 1) file = RawPng::signature() + file;
    if (data[0] & 2) mend_checksums(file);
  }
  try {
    const plumb::PngFile png = plumb::decode_png({reinterpret_cast<const uint8_t*>(file.data()), file.size()}, "fuzz");
    const plumb::Image& image = png.image;
    check(image.width > 0 && image.height > 0 && image.width * image.height <= plumb::kMaxPixels);
    check(image.channels == 1 || image.channels == 3 || image.channels == 4);
    check(image.pixels.size() == size_t(image.width * image.height * image.channels));
    if (image.pixels.size() < 4096) check(plumb::decode_png(plumb::encode_png(image), "again").image == image);
  } catch (const plumb::IoError&) {
  }
  return 0;
}
