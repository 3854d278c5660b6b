#include "engine/io/png.h"

#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>
#include <tuple>

#include "engine/error.h"
#include "engine/io/file.h"
#include "engine/io/utf8.h"
#include "engine/require.h"

// The only file that includes png.h. libpng reports errors by longjmp, which must not pass over C++ objects that need
// destruction: each function that calls setjmp holds plain values only, and everything else lives in its caller.

namespace plumb {
namespace {

constexpr png_uint_32 kMaxSide = 1u << 28;
constexpr png_alloc_size_t kMaxChunkBytes = 4u << 20;
constexpr png_uint_32 kMaxTextChunks = 16;
// Deflate cannot make data smaller than by this factor.
constexpr uint64_t kMaxCompression = 1032;

// Chunks that do not change what we return are skipped unread: less code faces the file.
constexpr png_byte kSkipped[] = "cHRM\0gAMA\0iCCP\0sBIT\0sRGB\0bKGD\0eXIf\0hIST\0oFFs\0pCAL\0sCAL\0sPLT\0pHYs\0tIME";

struct Failure {
  char message[128] = "";
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  Failure* failure = static_cast<Failure*>(png_get_error_ptr(png));
  std::strncpy(failure->message, message, sizeof failure->message - 1);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

struct Input {
  const uint8_t* next;
  size_t left;
};

void read_bytes(png_structp png, png_bytep out, size_t count) {
  Input* input = static_cast<Input*>(png_get_io_ptr(png));
  if (count > input->left) png_error(png, "file ends too early");
  std::memcpy(out, input->next, count);
  input->next += count;
  input->left -= count;
}

void append_bytes(png_structp png, png_bytep bytes, size_t count) {
  bool stored = true;
  try {
    auto* out = static_cast<std::vector<uint8_t>*>(png_get_io_ptr(png));
    out->insert(out->end(), bytes, bytes + count);
  } catch (const std::bad_alloc&) {
    stored = false;  // the exception must not cross libpng
  }
  if (!stored) png_error(png, "out of memory");
}

void flush_nothing(png_structp) {}

struct Reader {
  png_structp png;
  png_infop info, end_info;
  Failure failure;
  explicit Reader(Input* input)
      : png(png_create_read_struct(PNG_LIBPNG_VER_STRING, &failure, on_error, on_warning)),
        info(png ? png_create_info_struct(png) : nullptr),
        end_info(info ? png_create_info_struct(png) : nullptr) {
    if (png) png_set_read_fn(png, input, read_bytes);
  }
  Reader(const Reader&) = delete;
  ~Reader() { png_destroy_read_struct(&png, &info, &end_info); }
};

struct Writer {
  png_structp png;
  png_infop info;
  Failure failure;
  explicit Writer(std::vector<uint8_t>* out)
      : png(png_create_write_struct(PNG_LIBPNG_VER_STRING, &failure, on_error, on_warning)),
        info(png ? png_create_info_struct(png) : nullptr) {
    if (png) png_set_write_fn(png, out, append_bytes, flush_nothing);
  }
  Writer(const Writer&) = delete;
  ~Writer() { png_destroy_write_struct(&png, &info); }
};

struct Header {
  uint64_t width, height, stored_row_bytes, channels;
  int passes;
};

// Everything up to the pixels. False on failure.
bool read_header(Reader& reader, Header& header) {
  if (setjmp(png_jmpbuf(reader.png))) return false;
  png_set_user_limits(reader.png, kMaxSide, kMaxSide);
  png_set_chunk_cache_max(reader.png, kMaxTextChunks);
  png_set_chunk_malloc_max(reader.png, kMaxChunkBytes);
  png_set_keep_unknown_chunks(reader.png, PNG_HANDLE_CHUNK_NEVER, kSkipped, int(sizeof kSkipped / 5));
  png_read_info(reader.png, reader.info);
  header.width = png_get_image_width(reader.png, reader.info);
  header.height = png_get_image_height(reader.png, reader.info);
  header.stored_row_bytes = png_get_rowbytes(reader.png, reader.info) + 1;
  png_set_expand(reader.png);
  png_set_scale_16(reader.png);
  const bool is_grey = !(png_get_color_type(reader.png, reader.info) & PNG_COLOR_MASK_COLOR);
  const bool has_alpha = (png_get_color_type(reader.png, reader.info) & PNG_COLOR_MASK_ALPHA) ||
                         png_get_valid(reader.png, reader.info, PNG_INFO_tRNS);
  if (is_grey && has_alpha) png_set_gray_to_rgb(reader.png);
  header.passes = png_set_interlace_handling(reader.png);
  png_read_update_info(reader.png, reader.info);
  header.channels = png_get_channels(reader.png, reader.info);
  if (png_get_rowbytes(reader.png, reader.info) != header.width * header.channels)
    png_error(reader.png, "rows of unexpected size");
  return true;
}

// The pixels and the rest of the file. False on failure.
bool read_pixels(Reader& reader, const Header& header, uint8_t* pixels) {
  if (setjmp(png_jmpbuf(reader.png))) return false;
  for (int pass = 0; pass < header.passes; ++pass)
    for (uint64_t row = 0; row < header.height; ++row)
      png_read_row(reader.png, pixels + row * header.width * header.channels, nullptr);
  png_read_end(reader.png, reader.end_info);
  return true;
}

std::string from_latin1(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (uint8_t(c) < 0x80) {
      out += c;
    } else {
      out += char(0xC0 | uint8_t(c) >> 6);
      out += char(0x80 | (uint8_t(c) & 0x3F));
    }
  }
  return out;
}

void collect_text(Reader& reader, png_infop info, PngText& text) {
  png_textp chunks = nullptr;
  const int count = png_get_text(reader.png, info, &chunks, nullptr);
  for (int i = 0; i < count; ++i) {
    const png_text& chunk = chunks[i];
    const bool international = chunk.compression >= PNG_ITXT_COMPRESSION_NONE;
    const size_t size = international ? chunk.itxt_length : chunk.text_length;
    const std::string_view value(chunk.text ? chunk.text : "", chunk.text ? size : 0);
    text[from_latin1(chunk.key)] = international && is_utf8(value) ? std::string(value) : from_latin1(value);
  }
}

bool is_keyword(std::string_view key) {
  return !key.empty() && key.size() <= 79 && key.front() != ' ' && key.back() != ' ' && key.find("  ") == key.npos &&
         std::all_of(key.begin(), key.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// Points into `text`, which must live as long.
std::vector<png_text> text_chunks(const PngText& text) {
  std::vector<png_text> chunks;
  for (const auto& [key, value] : text) {
    require<ValueError>(is_keyword(key), "png: keyword must be 1 to 79 printable ASCII characters (\"{}\")", key);
    require<ValueError>(is_utf8(value) && value.find('\0') == value.npos,
                        "png: text of \"{}\" must be UTF-8 without NUL", key);
    const bool ascii = std::all_of(value.begin(), value.end(), [](char c) { return uint8_t(c) < 0x80; });
    png_text chunk{};
    chunk.compression = ascii ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE;
    chunk.key = const_cast<char*>(key.c_str());
    chunk.text = const_cast<char*>(value.c_str());
    (ascii ? chunk.text_length : chunk.itxt_length) = value.size();
    chunks.push_back(chunk);
  }
  return chunks;
}

bool write_all(Writer& writer, const Image& image, const std::vector<png_text>& text) {
  if (setjmp(png_jmpbuf(writer.png))) return false;
  const int color = image.channels == 1   ? PNG_COLOR_TYPE_GRAY
                    : image.channels == 3 ? PNG_COLOR_TYPE_RGB
                                          : PNG_COLOR_TYPE_RGB_ALPHA;
  png_set_user_limits(writer.png, kMaxSide, kMaxSide);
  png_set_IHDR(writer.png, writer.info, png_uint_32(image.width), png_uint_32(image.height), 8, color,
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_compression_level(writer.png, 6);
  if (!text.empty()) png_set_text(writer.png, writer.info, text.data(), int(text.size()));
  png_write_info(writer.png, writer.info);
  for (int64_t row = 0; row < image.height; ++row)
    png_write_row(writer.png, image.pixels.data() + row * image.width * image.channels);
  png_write_end(writer.png, writer.info);
  return true;
}

}  // namespace

PngFile decode_png(std::span<const uint8_t> bytes, const std::string& source) {
  require<IoError>(bytes.size() >= 8 && png_sig_cmp(bytes.data(), 0, 8) == 0,
                   "png: file must start with the PNG signature; {}", source);
  Input input{bytes.data(), bytes.size()};
  Reader reader(&input);
  require<MemoryError>(reader.end_info, "png: reader cannot be made (out of memory); {}", source);
  Header header{};
  require<IoError>(read_header(reader, header), "png: file must be a valid PNG ({}); {}", reader.failure.message,
                   source);
  require<IoError>(header.width * header.height <= uint64_t(kMaxPixels),
                   "png: image must have at most {} pixels ({} x {}); {}", kMaxPixels, header.width, header.height,
                   source);
  require<IoError>(header.height * header.stored_row_bytes <= kMaxCompression * bytes.size(),
                   "png: file must be large enough for its image ({} bytes for {} x {}); {}", bytes.size(),
                   header.width, header.height, source);
  PngFile file;
  file.image.width = int64_t(header.width);
  file.image.height = int64_t(header.height);
  file.image.channels = int64_t(header.channels);
  file.image.pixels.resize(header.width * header.height * header.channels);
  require<IoError>(read_pixels(reader, header, file.image.pixels.data()), "png: file must be a valid PNG ({}); {}",
                   reader.failure.message, source);
  collect_text(reader, reader.info, file.text);
  collect_text(reader, reader.end_info, file.text);
  return file;
}

PngFile read_png(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  return decode_png({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, path.string());
}

std::vector<uint8_t> encode_png(const Image& image, const PngText& text) {
  const auto [width, height, channels, pixels] = std::tie(image.width, image.height, image.channels, image.pixels);
  require<ValueError>(width > 0 && height > 0 && width <= kMaxPixels / height,
                      "png: image must have 1 to {} pixels ({} x {})", kMaxPixels, width, height);
  require<ValueError>(channels == 1 || channels == 3 || channels == 4, "png: image must have 1, 3 or 4 channels ({})",
                      channels);
  require<ValueError>(pixels.size() == size_t(width * height * channels), "png: image must have {} bytes ({})",
                      width * height * channels, pixels.size());
  const std::vector<png_text> chunks = text_chunks(text);
  std::vector<uint8_t> out;
  Writer writer(&out);
  require<MemoryError>(writer.info, "png: writer cannot be made (out of memory)");
  require<IoError>(write_all(writer, image, chunks), "png: image cannot be encoded ({})", writer.failure.message);
  return out;
}

void write_png(const std::filesystem::path& path, const Image& image, const PngText& text) {
  write_file_atomic(path, encode_png(image, text));
}

}  // namespace plumb
