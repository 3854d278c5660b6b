#include "engine/io/png.h"

#include <doctest/doctest.h>

#include <cstring>
#include <string>

#include "engine/error.h"
#include "engine/io/file.h"
#include "engine/random/random_key.h"
#include "tests/support/raw_png.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using plumb::test::png_chunk;
using plumb::test::RawPng;
using plumb::test::TempDir;

namespace {

PngFile decode(std::string_view bytes) {
  return decode_png({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, "a.png");
}

std::string error_of(std::string_view bytes) {
  try {
    decode(bytes);
  } catch (const IoError& error) {
    return error.what();
  }
  return "decodes";
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

std::string bytes_of(std::initializer_list<int> values) {
  std::string out;
  for (int value : values) out += char(value);
  return out;
}

Image noise(int64_t width, int64_t height, int64_t channels) {
  Image image{width, height, channels, {}};
  for (int64_t i = 0; i < width * height * channels; ++i) image.pixels.push_back(uint8_t(mix64(uint64_t(i))));
  return image;
}

std::string encoded(const Image& image, const PngText& text = {}) {
  const std::vector<uint8_t> bytes = encode_png(image, text);
  return {bytes.begin(), bytes.end()};
}

using Pixels = std::vector<uint8_t>;

}  // namespace

TEST_CASE("png: pictures of every channel count and odd sizes survive") {
  for (int64_t channels : {1, 3, 4})
    for (const auto& [width, height] : {std::pair<int64_t, int64_t>{1, 1}, {7, 3}, {1, 100}, {100, 1}, {64, 65}}) {
      const Image image = noise(width, height, channels);
      CHECK(decode(encoded(image)).image == image);
    }
}

TEST_CASE("png: text survives, whatever its language and length") {
  const PngText text = {{"parameters", "a cat, steps: 20\nseed: 1"},
                        {"Title", "größe 高さ 😀"},
                        {"empty", ""},
                        {"long", std::string(300000, 'x')}};
  CHECK(decode(encoded(noise(2, 2, 3), text)).text == text);
}

TEST_CASE("png: the same picture gives the same bytes, written atomically") {
  const TempDir dir;
  const Image image = noise(33, 21, 3);
  write_png(dir / "a.png", image, {{"k", "v"}});
  write_png(dir / "b.png", image, {{"k", "v"}});
  CHECK(read_file(dir / "a.png") == read_file(dir / "b.png"));
  CHECK(read_png(dir / "a.png").image == image);
  CHECK(dir.entries() == 2);
  CHECK_THROWS_AS(read_png(dir / "none.png"), IoError);
  CHECK_THROWS_AS(write_png(dir / "none/a.png", image), IoError);
}

TEST_CASE("png: a palette becomes RGB, with transparency RGBA, at every depth") {
  const std::string palette = png_chunk("PLTE", bytes_of({255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7}));
  const RawPng two_bits{
      .width = 4, .height = 1, .depth = 2, .color = 3, .before_data = palette, .rows = bytes_of({0, 0b00011011})};
  CHECK(decode(two_bits.build()).image == Image{4, 1, 3, {255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7}});
  RawPng with_alpha = two_bits;
  with_alpha.before_data += png_chunk("tRNS", bytes_of({0, 128}));
  CHECK(decode(with_alpha.build()).image ==
        Image{4, 1, 4, {255, 0, 0, 0, 0, 255, 0, 128, 0, 0, 255, 255, 9, 8, 7, 255}});
  const RawPng bytes{
      .width = 2, .height = 1, .depth = 8, .color = 3, .before_data = palette, .rows = bytes_of({0, 3, 1})};
  CHECK(decode(bytes.build()).image == Image{2, 1, 3, {9, 8, 7, 0, 255, 0}});
}

TEST_CASE("png: grey of 1, 2, 4 and 16 bits becomes 8, rounded to nearest") {
  CHECK(decode(RawPng{.width = 3, .height = 1, .depth = 1, .color = 0, .rows = bytes_of({0, 0b01000000})}.build())
            .image == Image{3, 1, 1, {0, 255, 0}});
  CHECK(decode(RawPng{.width = 4, .height = 1, .depth = 2, .color = 0, .rows = bytes_of({0, 0b00011011})}.build())
            .image == Image{4, 1, 1, {0, 85, 170, 255}});
  CHECK(decode(RawPng{.width = 2, .height = 1, .depth = 4, .color = 0, .rows = bytes_of({0, 0x1F})}.build()).image ==
        Image{2, 1, 1, {17, 255}});
  const RawPng sixteen{.width = 4,
                       .height = 1,
                       .depth = 16,
                       .color = 0,

                       .rows = bytes_of({0, 0, 128, 0, 129, 0x7F, 0x80, 255, 255})};  // 128, 129, 32640, 65535
  CHECK(decode(sixteen.build()).image == Image{4, 1, 1, {0, 1, 127, 255}});
}

TEST_CASE("png: grey with alpha becomes RGBA, and so does a transparent grey") {
  const RawPng alpha{.width = 1, .height = 1, .depth = 8, .color = 4, .rows = bytes_of({0, 50, 60})};
  CHECK(decode(alpha.build()).image == Image{1, 1, 4, {50, 50, 50, 60}});
  const RawPng key{.width = 2,
                   .height = 1,
                   .depth = 8,
                   .color = 0,
                   .before_data = png_chunk("tRNS", bytes_of({0, 7})),
                   .rows = bytes_of({0, 7, 8})};
  CHECK(decode(key.build()).image == Image{2, 1, 4, {7, 7, 7, 0, 8, 8, 8, 255}});
  const RawPng deep{.width = 1,
                    .height = 1,
                    .depth = 16,
                    .color = 6,

                    .rows = bytes_of({0, 255, 255, 0, 0, 0x80, 0x80, 0x40, 0x40})};
  CHECK(decode(deep.build()).image == Image{1, 1, 4, {255, 0, 128, 64}});
}

TEST_CASE("png: interlaced pictures come out in order") {
  // Adam7 passes of a 3 x 3 picture with pixel value 10 y + x: (0,0) | - | - | (2,0) | (0,2) (2,2) | (1,0) (1,2) | row
  // 1
  RawPng png{.width = 3, .height = 3, .depth = 8, .color = 0, .interlaced = true};
  png.rows = bytes_of({0, 0}) + bytes_of({0, 2}) + bytes_of({0, 20, 22}) + bytes_of({0, 1}) + bytes_of({0, 21}) +
             bytes_of({0, 10, 11, 12});
  CHECK(decode(png.build()).image == Image{3, 3, 1, {0, 1, 2, 10, 11, 12, 20, 21, 22}});
}

TEST_CASE("png: Latin-1 text becomes UTF-8; damaged text is passed over") {
  RawPng png{.rows = bytes_of({0, 5})};
  png.before_data = png_chunk("tEXt", std::string("Comment\0caf\xe9", 12));
  png.after_data = png_chunk("tEXt", std::string("late\0x", 6)) + png_chunk("zTXt", std::string("bad\0\0garbage", 12));
  const PngFile file = decode(png.build());
  CHECK(file.text.at("Comment") == "café");
  CHECK(file.text.at("late") == "x");
  CHECK(file.image.pixels == Pixels{5});
}

TEST_CASE("png: unknown and animation chunks are skipped, and bytes after the end") {
  RawPng png{.rows = bytes_of({0, 5})};
  png.before_data = png_chunk("acTL", std::string(8, '\1')) + png_chunk("teSt", "data") + png_chunk("iCCP", "nonsense");
  CHECK(decode(png.build() + "PK\x05\x06").image.pixels == Pixels{5});
}

TEST_CASE("png: files that are no PNG are refused") {
  CHECK(error_of("") == "png: file must start with the PNG signature; a.png");
  CHECK(error_of("GIF89a..........") == "png: file must start with the PNG signature; a.png");
  CHECK(error_of(RawPng::signature()) == "png: file must be a valid PNG (file ends too early); a.png");
  CHECK(error_of(RawPng::signature() + png_chunk("IEND", "")) != "decodes");
  CHECK(error_of(RawPng::signature() + RawPng{}.ihdr() + png_chunk("IEND", "")) != "decodes");
}

TEST_CASE("png: impossible headers are refused") {
  const auto header_error = [](RawPng png) {
    png.rows = bytes_of({0, 0, 0, 0, 0});
    return error_of(png.build());
  };
  CHECK(header_error({.width = 0}) != "decodes");
  CHECK(header_error({.height = 0}) != "decodes");
  CHECK(header_error({.width = 0x80000000u}) != "decodes");
  CHECK(header_error({.height = 0x7FFFFFFFu}) != "decodes");
  CHECK(header_error({.depth = 3}) != "decodes");
  CHECK(header_error({.depth = 4, .color = 2}) != "decodes");
  CHECK(header_error({.color = 1}) != "decodes");
  CHECK(header_error({.color = 3}) != "decodes");  // no palette
}

TEST_CASE("png: sizes that the pixel limit or the file cannot hold are refused before allocating") {
  RawPng png{.width = 1u << 20, .height = 1u << 10, .rows = bytes_of({0, 0})};
  CHECK(error_of(png.build()) == "png: image must have at most 268435456 pixels (1048576 x 1024); a.png");
  png.width = 1u << 14, png.height = 1u << 14;
  CHECK(contains(error_of(png.build()), "png: file must be large enough for its image ("));
  png.width = 1, png.height = 1u << 28;
  CHECK(contains(error_of(png.build()), "png: file must be large enough for its image ("));
}

TEST_CASE("png: missing rows, surplus rows and broken filters are no crash") {
  CHECK(contains(error_of(RawPng{.width = 2, .height = 2, .rows = bytes_of({0, 1, 2})}.build()),
                 "file must be a valid PNG"));
  CHECK(contains(error_of(RawPng{.width = 2, .height = 1, .rows = bytes_of({9, 1, 2})}.build()),
                 "file must be a valid PNG"));
  const std::string surplus = RawPng{.width = 1, .height = 1, .rows = bytes_of({0, 7, 0, 8, 0, 9})}.build();
  CHECK((error_of(surplus) != "decodes" || decode(surplus).image.pixels == Pixels{7}));
}

TEST_CASE("png: cut anywhere, a picture is refused") {
  const std::string samples[] = {encoded(noise(9, 5, 3), {{"k", "v"}}), encoded(noise(3, 20, 4)),
                                 RawPng{.width = 3, .height = 1, .rows = bytes_of({0, 1, 2, 3})}.build()};
  for (const std::string& whole : samples)
    for (size_t size = 0; size < whole.size(); ++size) {
      CAPTURE(size);
      CHECK(error_of(std::string_view(whole).substr(0, size)) != "decodes");
    }
}

TEST_CASE("png: a flipped bit gives an error or the right pixels") {
  const Image image = noise(9, 5, 3);
  const std::string whole = encoded(image);
  size_t refused = 0;
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = char(flipped[bit / 8] ^ (1 << bit % 8));
    try {
      if (decode(flipped).image != image) FAIL("bit " << bit << " gives other pixels");
    } catch (const IoError&) {
      ++refused;
    }
  }
  CHECK(refused > whole.size() * 7);
}

TEST_CASE("png: a compressed text bomb is passed over") {
  // 64 MiB of one letter in a zTXt chunk of 64 KiB: taken from the data of a black picture, which is a zlib stream too.
  const std::string black = encoded(Image{8192, 8192, 1, Pixels(size_t(8192) * 8192)});
  std::string stream;
  for (size_t at = 33; at + 12 <= black.size();) {
    const auto byte = [&](size_t i) { return size_t(uint8_t(black[at + i])); };
    const size_t size = byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3);
    if (black.substr(at + 4, 4) == "IDAT") stream += black.substr(at + 8, size);
    at += size + 12;
  }
  CHECK(stream.size() < 200000);
  RawPng png{.rows = bytes_of({0, 5})};
  for (int i = 0; i < 40; ++i) png.before_data += png_chunk("zTXt", std::string("bomb\0\0", 6) + stream);
  const std::string bytes = png.build();
  const std::string error = error_of(bytes);
  if (error == "decodes") CHECK(decode(bytes).text.count("bomb") == 0);
}

TEST_CASE("png: what cannot be written is refused") {
  const Image good = noise(2, 2, 3);
  CHECK_THROWS_WITH_AS(encode_png(Image{0, 2, 3, {}}), "png: image must have 1 to 268435456 pixels (0 x 2)",
                       ValueError);
  CHECK_THROWS_AS(encode_png(Image{1ll << 40, 1ll << 40, 3, {}}), ValueError);
  CHECK_THROWS_WITH_AS(encode_png(Image{1, 1, 2, {1, 2}}), "png: image must have 1, 3 or 4 channels (2)", ValueError);
  CHECK_THROWS_WITH_AS(encode_png(Image{1, 1, 3, {1, 2}}), "png: image must have 3 bytes (2)", ValueError);
  for (const std::string& key : {std::string(), std::string(80, 'k'), std::string(" k"), std::string("k "),
                                 std::string("a  b"), std::string("é"), std::string("a\nb")})
    CHECK_THROWS_AS(encode_png(good, {{key, "v"}}), ValueError);
  CHECK_THROWS_AS(encode_png(good, {{"k", "\xff"}}), ValueError);
  CHECK_THROWS_AS(encode_png(good, {{"k", std::string("a\0b", 3)}}), ValueError);
}
