#include "engine/error.h"
#include "engine/io/jpeg.h"
#include "tests/fuzz/check.h"

// Start from a few small JPEGs: baseline, progressive, CMYK, with EXIF.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const plumb::Image image = plumb::decode_jpeg({data, size}, "fuzz");
    check(image.width > 0 && image.height > 0 && image.width * image.height <= plumb::kMaxPixels);
    check(image.channels == 1 || image.channels == 3);
    check(image.pixels.size() == size_t(image.width * image.height * image.channels));
  } catch (const plumb::IoError&) {
  }
  return 0;
}
