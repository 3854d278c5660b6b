#include "engine/io/tar.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "engine/error.h"
#include "engine/io/file.h"
#include "engine/require.h"

namespace plumb {
namespace {

constexpr uint64_t kBlock = 512;
constexpr uint64_t kMaxExtension = 1 << 20;  // of a name or an extended header

/// The fields of a header block that count, by offset and length.
struct Field {
  size_t at, size;
};
constexpr Field kName{0, 100}, kSize{124, 12}, kChecksum{148, 8}, kMagic{257, 6}, kPrefix{345, 155};
constexpr size_t kType = 156;

class TarReader {
 public:
  explicit TarReader(const std::filesystem::path& path) : path_(path), file_(path) {
    const std::span<const uint8_t> bytes = std::as_const(file_).bytes();
    bytes_ = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    const bool gzip = bytes_.starts_with("\x1F\x8B"), zstd = bytes_.starts_with("\x28\xB5\x2F\xFD");
    require<IoError>(!gzip && !zstd, "tar: file must not be compressed (it is {}); unpack it; {}",
                     gzip ? "gzip" : "zstd", path.string());
  }

  std::vector<TarMember> list() {
    std::vector<TarMember> members;
    while (next(members)) {
    }
    return members;
  }

 private:
  /// Reads one header with what belongs to it. False at the end.
  bool next(std::vector<TarMember>& members) {
    if (at_ == bytes_.size()) return false;
    expect(bytes_.size() - at_ >= kBlock, "header must be whole");
    const std::string_view header = bytes_.substr(at_, kBlock);
    if (header.find_first_not_of('\0') == header.npos) return false;
    expect(has_checksum(header), "header must have its checksum");
    const char type = header[kType];
    const bool extends = type == 'x' || type == 'g' || type == 'L' || type == 'K';
    const uint64_t size = extends ? number(header, kSize) : long_size_.value_or(number(header, kSize));
    const uint64_t begin = at_ + kBlock, left = bytes_.size() - begin;
    expect(size <= left, "member must lie inside the file");
    expect(type != 'S', "sparse members are not supported");
    if (extends) {
      extend(type, bytes_.substr(begin, size));
    } else {
      if (type == '0' || type == '\0' || type == '7')
        members.push_back({long_name_.value_or(short_name(header)), begin, size});
      long_name_.reset(), long_size_.reset();
    }
    at_ = begin + std::min(left, (size + kBlock - 1) / kBlock * kBlock);
    return true;
  }

  void extend(char type, std::string_view data) {
    expect(data.size() <= kMaxExtension, "extended header must be small");
    if (type == 'L') long_name_ = std::string(data.substr(0, data.find('\0')));
    if (type == 'x') read_pax(data);
  }

  /// Records "LENGTH KEY=VALUE\n"; the length counts itself.
  void read_pax(std::string_view data) {
    while (!data.empty()) {
      uint64_t length = 0;
      const auto [end, error] = std::from_chars(data.data(), data.data() + data.size(), length);
      const size_t digits = size_t(end - data.data());
      expect(error == std::errc() && length > digits + 2 && length <= data.size() && data[digits] == ' ' &&
                 data[length - 1] == '\n',
             "pax record must be well-formed");
      const std::string_view record = data.substr(digits + 1, length - digits - 2);
      const size_t equals = record.find('=');
      expect(equals != record.npos, "pax record must have a key");
      const std::string_view key = record.substr(0, equals), value = record.substr(equals + 1);
      expect(!key.starts_with("GNU.sparse"), "sparse members are not supported");
      if (key == "path") long_name_ = std::string(value);
      if (key == "size") long_size_ = decimal(value);
      data.remove_prefix(length);
    }
  }

  uint64_t decimal(std::string_view text) const {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    expect(error == std::errc() && end == text.data() + text.size(), "size must be a number");
    return value;
  }

  /// Octal, or binary with the top bit set.
  uint64_t number(std::string_view header, Field field) const {
    std::string_view text = header.substr(field.at, field.size);
    uint64_t value = 0;
    if (uint8_t(text[0]) & 0x80) {
      expect(uint8_t(text[0]) == 0x80, "size must be below 2^64");
      for (const char c : text.substr(1)) {
        expect(value >> 56 == 0, "size must be below 2^64");
        value = value << 8 | uint8_t(c);
      }
      return value;
    }
    text = text.substr(0, text.find('\0'));
    const size_t first = text.find_first_not_of(' ');
    if (first == text.npos) return 0;
    text = text.substr(first, text.find_last_not_of(' ') + 1 - first);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
    expect(error == std::errc() && end == text.data() + text.size(), "size must be a number");
    return value;
  }

  bool has_checksum(std::string_view header) const {
    uint64_t sum = 0;
    for (size_t i = 0; i < kBlock; ++i)
      sum += i - kChecksum.at < kChecksum.size ? uint64_t(' ') : uint64_t(uint8_t(header[i]));
    return sum == number(header, kChecksum);
  }

  static std::string_view text(std::string_view header, Field field) {
    const std::string_view found = header.substr(field.at, field.size);
    return found.substr(0, found.find('\0'));
  }
  static std::string short_name(std::string_view header) {
    const bool has_prefix = header.substr(kMagic.at, kMagic.size) == std::string_view("ustar\0", 6);
    const std::string_view prefix = has_prefix ? text(header, kPrefix) : std::string_view();
    return std::string(prefix) + (prefix.empty() ? "" : "/") + std::string(text(header, kName));
  }

  void expect(bool condition, const char* what) const {
    require<IoError>(condition, "tar: {} (at byte {} of {}); {}", what, at_, bytes_.size(), path_.string());
  }

  std::filesystem::path path_;
  MappedFile file_;
  std::string_view bytes_;
  uint64_t at_ = 0;
  std::optional<std::string> long_name_;  // for the next member
  std::optional<uint64_t> long_size_;
};

}  // namespace

std::vector<TarMember> list_tar(const std::filesystem::path& path) { return TarReader(path).list(); }

}  // namespace plumb
