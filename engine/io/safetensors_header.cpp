#include "engine/io/safetensors_header.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

#include "engine/error.h"
#include "engine/format.h"
#include "engine/io/json.h"
#include "engine/io/json_events.h"
#include "engine/require.h"

namespace plumb {
namespace {

constexpr uint64_t kLengthBytes = 8;

struct NamedDType {
  const char* name;
  DType dtype;
};
constexpr NamedDType kDTypes[] = {{"F64", DType::f64},   {"F32", DType::f32},     {"F16", DType::f16},
                                  {"BF16", DType::bf16}, {"I64", DType::i64},     {"I32", DType::i32},
                                  {"U8", DType::u8},     {"BOOL", DType::boolean}};

// As a JSON string, at most 100 bytes of it.
std::string quoted(std::string_view text) {
  if (text.size() > 100) {
    size_t size = 100;
    while ((uint8_t(text[size]) & 0xC0) == 0x80) --size;  // not inside a character
    text = text.substr(0, size);
  }
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace

const char* safetensors_name_of(DType dtype) {
  for (const NamedDType& known : kDTypes)
    if (known.dtype == dtype) return known.name;
  return "";
}

/// Reads {"__metadata__": {string: string}, NAME: {"dtype": D, "shape": [...], "data_offsets": [BEGIN, END]}, ...}.
class SafetensorsHandler : public JsonHandler {
 public:
  SafetensorsHandler(SafetensorsHeader& header, const std::string& source) : header_(header), source_(source) {}

  void on_null() override { fail_value("null"); }
  void on_bool(bool) override { fail_value("a boolean"); }
  void on_number(double) override { fail_value("a number"); }

  void on_integer(int64_t value) override {
    if (place_ != Place::list) fail_value("an integer");
    if (value < 0) fail("{} of {} must not be negative ({})", kFieldNames[field_], tensor(), value);
    if (count_ >= (field_ == kShape ? size_t(kMaxRank) : 2))
      fail("{} of {} must have {} {} integers (more)", kFieldNames[field_], tensor(),
           field_ == kShape ? "at most" : "exactly", field_ == kShape ? kMaxRank : 2);
    if (field_ == kShape)
      header_.dims_.push_back(value);
    else
      (count_ == 0 ? entry_.begin : entry_.end) = uint64_t(value);
    ++count_;
  }

  void on_string(std::string& value) override {
    if (place_ == Place::metadata) {
      if (!header_.metadata_.emplace(metadata_key_, value).second)
        fail("__metadata__ must not repeat a key ({})", quoted(metadata_key_));
      return;
    }
    if (place_ != Place::tensor || field_ != kDType) fail_value("a string");
    for (const NamedDType& known : kDTypes)
      if (value == known.name) {
        entry_.dtype = known.dtype;
        return;
      }
    fail("dtype of {} must be one of F64 F32 F16 BF16 I64 I32 U8 BOOL ({})", tensor(), quoted(value));
  }

  void on_key(std::string& key) override {
    switch (place_) {
      case Place::top:
        begin_member(key);
        return;
      case Place::metadata:
        metadata_key_ = key;
        return;
      case Place::tensor:
        begin_field(key);
        return;
      default:
        return;
    }
  }

  void on_begin_object() override {
    if (place_ == Place::file)
      place_ = Place::top;
    else if (place_ == Place::top)
      place_ = is_metadata_ ? Place::metadata : Place::tensor;
    else
      fail_value("an object");
  }

  void on_end_object() override {
    if (place_ == Place::tensor) end_tensor();
    place_ = place_ == Place::top ? Place::file : Place::top;
  }

  void on_begin_array() override {
    if (place_ != Place::tensor || field_ == kDType) fail_value("an array");
    place_ = Place::list;
    count_ = 0;
  }

  void on_end_array() override {
    if (field_ == kShape)
      entry_.rank = uint8_t(count_);
    else if (count_ != 2)
      fail("data_offsets of {} must have exactly 2 integers ({})", tensor(), count_);
    place_ = Place::tensor;
  }

 private:
  enum class Place { file, top, metadata, tensor, list };
  enum Field { kDType, kShape, kOffsets };
  static constexpr const char* kFieldNames[] = {"dtype", "shape", "data_offsets"};

  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    raise<IoError>("safetensors: {}; {}", fmt::format(format, std::forward<Args>(args)...), source_);
  }
  std::string_view name() const { return std::string_view(header_.names_).substr(entry_.name); }
  std::string tensor() const { return "tensor " + quoted(name()); }

  [[noreturn]] void fail_value(const char* actual) const {
    switch (place_) {
      case Place::file:
        fail("header must be an object ({})", actual);
      case Place::top:
        fail("member {} must be an object ({})", quoted(is_metadata_ ? "__metadata__" : name()), actual);
      case Place::metadata:
        fail("__metadata__ must hold strings only ({} is {})", quoted(metadata_key_), actual);
      case Place::tensor:
        fail("{} of {} must be {} ({})", kFieldNames[field_], tensor(), field_ == kDType ? "a string" : "a list",
             actual);
      case Place::list:
        break;
    }
    fail("{} of {} must hold integers only ({})", kFieldNames[field_], tensor(), actual);
  }

  void begin_member(const std::string& key) {
    is_metadata_ = key == "__metadata__";
    if (is_metadata_) {
      if (had_metadata_) fail("__metadata__ must not appear twice");
      had_metadata_ = true;
      return;
    }
    if (key.find('\0') != key.npos) fail("name of a tensor must not hold NUL ({})", quoted(key));
    entry_ = {};
    entry_.name = uint32_t(header_.names_.size());
    entry_.name_size = uint32_t(key.size());
    entry_.dims = uint32_t(header_.dims_.size());
    header_.names_ += key;
    seen_ = {};
  }

  void begin_field(const std::string& key) {
    for (int field : {kDType, kShape, kOffsets})
      if (key == kFieldNames[field]) {
        if (seen_[size_t(field)]) fail("{} must not have {} twice", tensor(), key);
        seen_[size_t(field)] = true;
        field_ = Field(field);
        return;
      }
    fail("{} must have dtype, shape and data_offsets only ({})", tensor(), quoted(key));
  }

  void end_tensor() {
    for (int field : {kDType, kShape, kOffsets})
      if (!seen_[size_t(field)]) fail("{} must have a {}", tensor(), kFieldNames[field]);
    if (entry_.begin > entry_.end)
      fail("data_offsets of {} must not decrease ({}, {})", tensor(), entry_.begin, entry_.end);
    // Sizes of 0 count as 1 in the check for overflow, since strides are products of the others.
    int64_t bytes = size_of(entry_.dtype), bound = bytes;
    for (int64_t dim = 0; dim < entry_.rank; ++dim) {
      const int64_t size = header_.dims_[entry_.dims + size_t(dim)];
      if (__builtin_mul_overflow(bound, std::max<int64_t>(size, 1), &bound))
        fail("shape of {} must have a size below 2^63", tensor());
      bytes *= size;
    }
    if (bytes != int64_t(entry_.end - entry_.begin))
      fail("data_offsets of {} must span {} bytes ({})", tensor(), bytes, entry_.end - entry_.begin);
    header_.entries_.push_back(entry_);
  }

  SafetensorsHeader& header_;
  const std::string& source_;
  Place place_ = Place::file;
  bool is_metadata_ = false, had_metadata_ = false;
  std::string metadata_key_;
  SafetensorsHeader::Entry entry_{};
  Field field_ = kDType;
  std::array<bool, 3> seen_{};
  size_t count_ = 0;  // integers in the list so far
};

// Sorted by offset, the tensors must follow each other from the first byte to the last.
void SafetensorsHeader::check_layout(uint64_t data_bytes, const std::string& source) {
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry& a, const Entry& b) { return a.begin != b.begin ? a.begin < b.begin : a.end < b.end; });
  uint64_t covered = 0;
  for (size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    const auto fail = [&](const char* expectation) {
      raise<IoError>("safetensors: tensor {} must {} (bytes {} to {}, {} covered before it, {} in the file); {}",
                     quoted(name(i)), expectation, entry.begin, entry.end, covered, data_bytes, source);
    };
    if (entry.end > data_bytes) fail("end within the file");
    if (entry.begin < covered) fail("not overlap another");
    if (entry.begin > covered) fail("leave no hole before it");
    covered = entry.end;
  }
  require<IoError>(covered == data_bytes, "safetensors: tensors must cover the data to its end ({} of {} bytes); {}",
                   covered, data_bytes, source);
}

void SafetensorsHeader::sort_by_name(const std::string& source) {
  const std::string_view names = names_;
  const auto name_of = [&](const Entry& entry) { return names.substr(entry.name, entry.name_size); };
  std::sort(entries_.begin(), entries_.end(), [&](const Entry& a, const Entry& b) { return name_of(a) < name_of(b); });
  for (size_t i = 1; i < entries_.size(); ++i)
    if (name(i) == name(i - 1))
      raise<IoError>("safetensors: names must be unique ({} twice); {}", quoted(name(i)), source);
}

size_t SafetensorsHeader::find(std::string_view wanted) const {
  const std::string_view names = names_;
  const auto at = std::lower_bound(
      entries_.begin(), entries_.end(), wanted,
      [&](const Entry& entry, std::string_view key) { return names.substr(entry.name, entry.name_size) < key; });
  const size_t i = size_t(at - entries_.begin());
  return i < size() && name(i) == wanted ? i : size();
}

SafetensorsHeader SafetensorsHeader::parse(std::span<const uint8_t> file, const std::string& source) {
  require<IoError>(file.size() >= kLengthBytes, "safetensors: file must have at least 8 bytes ({}); {}", file.size(),
                   source);
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, file.data(), kLengthBytes);  // little-endian, as are we
  require<IoError>(header_bytes <= kMaxBytes, "safetensors: header must have at most {} bytes ({}); {}", kMaxBytes,
                   header_bytes, source);
  require<IoError>(header_bytes <= file.size() - kLengthBytes,
                   "safetensors: header must fit in the file ({} bytes, the file has {}); {}", header_bytes,
                   file.size(), source);
  const std::string_view text(reinterpret_cast<const char*>(file.data()) + kLengthBytes, header_bytes);
  require<IoError>(text.starts_with('{'), "safetensors: header must start with '{{' ({} bytes that do not); {}",
                   header_bytes, source);
  SafetensorsHeader header;
  header.data_start_ = kLengthBytes + header_bytes;
  SafetensorsHandler handler(header, source);
  parse_json(text, source, 3, handler);
  header.check_layout(file.size() - header.data_start_, source);
  header.sort_by_name(source);
  return header;
}

}  // namespace plumb
