#include "engine/io/jpeg.h"

// jpeglib.h needs FILE and size_t to be known, jerror.h needs jpeglib.h.
#include <cstddef>
#include <cstdio>

#include <jpeglib.h>

#include <jerror.h>

#include <algorithm>
#include <csetjmp>
#include <cstdlib>
#include <cstring>
#include <tuple>

#include "engine/error.h"
#include "engine/io/exif.h"
#include "engine/io/file.h"
#include "engine/require.h"

// The only file that includes jpeglib.h. libjpeg reports errors by a callback that must not return: as in png.cpp each
// function that calls setjmp holds plain values only, and everything else lives in its caller.

namespace plumb {
namespace {

constexpr int64_t kMaxSide = JPEG_MAX_DIMENSION;
// What a byte of a file can hold: a block of 8x8 takes at least a bit of it, arithmetic coding aside.
constexpr uint64_t kMaxPixelsPerByte = 1024;
// Each scan of a progressive file goes over the whole picture: a small file could ask for days of work.
constexpr int kMaxScans = 1000;
constexpr int kExifMarker = JPEG_APP0 + 1;
constexpr unsigned kMaxMarkerBytes = 65533;

struct Failure {
  jpeg_error_mgr manager;  // first: libjpeg's pointer to it is one to this
  std::jmp_buf leave;
  char message[JMSG_LENGTH_MAX] = "";
};

Failure& failure_of(j_common_ptr codec) { return *reinterpret_cast<Failure*>(codec->err); }

[[noreturn]] void on_error(j_common_ptr codec) {
  Failure& failure = failure_of(codec);
  codec->err->format_message(codec, failure.message);
  std::longjmp(failure.leave, 1);
}

/// Level -1: the data are broken, and libjpeg would go on with invented ones. What hurts no pixel passes.
void on_message(j_common_ptr codec, int level) {
  if (level >= 0) return;
  const int code = codec->err->msg_code;
  if (code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR) return;
  on_error(codec);
}

void print_nothing(j_common_ptr) {}

void set_up(Failure& failure) {
  jpeg_std_error(&failure.manager);
  failure.manager.error_exit = on_error;
  failure.manager.emit_message = on_message;
  failure.manager.output_message = print_nothing;
}

void limit_scans(j_common_ptr codec) {
  if (reinterpret_cast<j_decompress_ptr>(codec)->input_scan_number <= kMaxScans) return;
  Failure& failure = failure_of(codec);
  std::snprintf(failure.message, sizeof failure.message, "more than %d scans", kMaxScans);
  std::longjmp(failure.leave, 1);
}

struct Reader {
  jpeg_decompress_struct codec{};
  Failure failure;
  jpeg_progress_mgr progress{};

  Reader() {
    set_up(failure);
    codec.err = &failure.manager;
    progress.progress_monitor = limit_scans;
  }
  Reader(const Reader&) = delete;
  ~Reader() { jpeg_destroy_decompress(&codec); }
};

struct Writer {
  jpeg_compress_struct codec{};
  Failure failure;
  unsigned char* bytes = nullptr;  // malloc'ed by libjpeg
  unsigned long size = 0;

  Writer() {
    set_up(failure);
    codec.err = &failure.manager;
  }
  Writer(const Writer&) = delete;
  ~Writer() {
    jpeg_destroy_compress(&codec);
    std::free(bytes);
  }
};

// Everything up to the pixels. False on failure.
bool read_header(Reader& reader, std::span<const uint8_t> bytes) {
  if (setjmp(reader.failure.leave)) return false;
  jpeg_create_decompress(&reader.codec);
  reader.codec.progress = &reader.progress;
  jpeg_mem_src(&reader.codec, bytes.data(), static_cast<unsigned long>(bytes.size()));
  jpeg_save_markers(&reader.codec, kExifMarker, kMaxMarkerBytes);
  jpeg_read_header(&reader.codec, TRUE);
  const int components = reader.codec.num_components;
  if (components != 1 && components != 3 && components != 4) ERREXIT(&reader.codec, JERR_BAD_J_COLORSPACE);
  reader.codec.out_color_space = components == 1 ? JCS_GRAYSCALE : components == 3 ? JCS_RGB : JCS_CMYK;
  reader.codec.dct_method = JDCT_ISLOW;
  reader.codec.do_fancy_upsampling = TRUE;
  return true;
}

// The pixels and the rest of the file. False on failure.
bool read_pixels(Reader& reader, uint8_t* pixels) {
  if (setjmp(reader.failure.leave)) return false;
  jpeg_start_decompress(&reader.codec);
  const size_t row_bytes = size_t(reader.codec.output_width) * size_t(reader.codec.output_components);
  while (reader.codec.output_scanline < reader.codec.output_height) {
    JSAMPROW row = pixels + reader.codec.output_scanline * row_bytes;
    jpeg_read_scanlines(&reader.codec, &row, 1);
  }
  jpeg_finish_decompress(&reader.codec);
  return true;
}

bool write_all(Writer& writer, const Image& image, int quality) {
  if (setjmp(writer.failure.leave)) return false;
  jpeg_create_compress(&writer.codec);
  jpeg_mem_dest(&writer.codec, &writer.bytes, &writer.size);
  writer.codec.image_width = JDIMENSION(image.width);
  writer.codec.image_height = JDIMENSION(image.height);
  writer.codec.input_components = int(image.channels);
  writer.codec.in_color_space = image.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&writer.codec);
  jpeg_set_quality(&writer.codec, quality, TRUE);
  jpeg_start_compress(&writer.codec, TRUE);
  while (writer.codec.next_scanline < writer.codec.image_height) {
    JSAMPROW row =
        const_cast<JSAMPROW>(&image.pixels[writer.codec.next_scanline * size_t(image.width * image.channels)]);
    jpeg_write_scanlines(&writer.codec, &row, 1);
  }
  jpeg_finish_compress(&writer.codec);
  return true;
}

int orientation_of(const Reader& reader) {
  constexpr uint8_t kName[] = {'E', 'x', 'i', 'f', 0, 0};
  for (const jpeg_marker_struct* marker = reader.codec.marker_list; marker; marker = marker->next)
    if (marker->marker == kExifMarker && marker->data_length >= sizeof kName &&
        std::memcmp(marker->data, kName, sizeof kName) == 0)
      return exif_orientation({marker->data + sizeof kName, marker->data_length - sizeof kName});
  return 1;
}

/// a b / 255, rounded.
int product(int a, int b) {
  const int t = a * b + 128;
  return ((t >> 8) + t) >> 8;
}

/// Inks, stored inverted (255: none), to RGB in place: each light is what its ink and black leave.
void cmyk_to_rgb(std::vector<uint8_t>& pixels) {
  uint8_t* out = pixels.data();
  for (size_t i = 0; i + 3 < pixels.size(); i += 4) {
    const int white = pixels[i + 3];
    for (size_t c = 0; c < 3; ++c) *out++ = uint8_t(std::clamp(white - product(255 - pixels[i + c], white), 0, 255));
  }
  pixels.resize(pixels.size() / 4 * 3);
}

}  // namespace

Image decode_jpeg(std::span<const uint8_t> bytes, const std::string& source) {
  require<IoError>(bytes.size() >= 3 && bytes[0] == 0xFF && bytes[1] == 0xD8 && bytes[2] == 0xFF,
                   "jpeg: file must start with the JPEG signature; {}", source);
  Reader reader;
  require<IoError>(read_header(reader, bytes), "jpeg: file must be a valid JPEG ({}); {}", reader.failure.message,
                   source);
  const int64_t width = reader.codec.image_width, height = reader.codec.image_height;
  require<IoError>(width * height <= kMaxPixels, "jpeg: image must have at most {} pixels ({} x {}); {}", kMaxPixels,
                   width, height, source);
  require<IoError>(uint64_t(width * height) <= kMaxPixelsPerByte * bytes.size(),
                   "jpeg: file must be large enough for its image ({} bytes for {} x {}); {}", bytes.size(), width,
                   height, source);
  const int components = reader.codec.num_components;
  const int orientation = orientation_of(reader);  // libjpeg forgets the markers with the last pixel
  Image image{width, height, components, {}};
  image.pixels.resize(size_t(width * height * components));
  require<IoError>(read_pixels(reader, image.pixels.data()), "jpeg: file must be a valid JPEG ({}); {}",
                   reader.failure.message, source);
  if (components == 4) {
    cmyk_to_rgb(image.pixels);
    image.channels = 3;
  }
  return upright(std::move(image), orientation);
}

Image read_jpeg(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  return decode_jpeg({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, path.string());
}

std::vector<uint8_t> encode_jpeg(const Image& image, int quality) {
  const auto [width, height, channels, pixels] = std::tie(image.width, image.height, image.channels, image.pixels);
  require<ValueError>(
      width > 0 && height > 0 && width <= kMaxSide && height <= kMaxSide && width <= kMaxPixels / height,
      "jpeg: image must have 1 to {} pixels and sides of at most {} ({} x {})", kMaxPixels, kMaxSide, width, height);
  require<ValueError>(channels == 1 || channels == 3, "jpeg: image must have 1 or 3 channels ({})", channels);
  require<ValueError>(pixels.size() == size_t(width * height * channels), "jpeg: image must have {} bytes ({})",
                      width * height * channels, pixels.size());
  require<ValueError>(quality >= 1 && quality <= 100, "jpeg: quality must be in [1, 100] ({})", quality);
  Writer writer;
  require<IoError>(write_all(writer, image, quality), "jpeg: image cannot be encoded ({})", writer.failure.message);
  return {writer.bytes, writer.bytes + writer.size};
}

void write_jpeg(const std::filesystem::path& path, const Image& image, int quality) {
  write_file_atomic(path, encode_jpeg(image, quality));
}

}  // namespace plumb
