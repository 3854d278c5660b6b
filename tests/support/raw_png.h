#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace plumb::test {

/// PNG files built chunk by chunk, right or wrong, without libpng or zlib: image data goes into stored (uncompressed)
/// deflate blocks.

inline std::string big_endian(uint32_t value) {
  return {char(value >> 24), char(value >> 16), char(value >> 8), char(value)};
}

inline uint32_t crc32(std::string_view bytes) {
  uint32_t crc = ~0u;
  for (const char byte : bytes) {
    crc ^= uint8_t(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0u);
  }
  return ~crc;
}

inline std::string png_chunk(std::string_view type, std::string_view data) {
  std::string body(type);
  body += data;
  return big_endian(uint32_t(data.size())) + body + big_endian(crc32(body));
}

inline std::string zlib_stored(std::string_view data) {
  std::string out = "\x78\x01";
  uint32_t a = 1, b = 0;
  for (const char byte : data) {
    a = (a + uint8_t(byte)) % 65521;
    b = (b + a) % 65521;
  }
  do {
    const std::string_view piece = data.substr(0, 65535);
    data.remove_prefix(piece.size());
    const uint16_t size = uint16_t(piece.size()), inverse = uint16_t(~size);
    out += char(data.empty());
    for (const uint16_t half : {size, inverse}) {
      out += char(half & 0xFF);
      out += char(half >> 8);
    }
    out += piece;
  } while (!data.empty());
  return out + big_endian(b << 16 | a);
}

struct RawPng {
  uint32_t width = 1, height = 1;
  int depth = 8, color = 0;  // colour types: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA
  bool interlaced = false;
  std::string before_data = {};  // chunks between IHDR and IDAT
  std::string rows = {};         // each with its filter byte in front
  std::string after_data = {};   // chunks between IDAT and IEND

  static std::string signature() { return "\x89PNG\r\n\x1a\n"; }
  std::string ihdr() const {
    const std::string tail = {char(depth), char(color), 0, 0, char(interlaced)};
    return png_chunk("IHDR", big_endian(width) + big_endian(height) + tail);
  }
  std::string build() const {
    return signature() + ihdr() + before_data + png_chunk("IDAT", zlib_stored(rows)) + after_data +
           png_chunk("IEND", "");
  }
};

}  // namespace plumb::test
