#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/dtype.h"
#include "engine/shape.h"

namespace plumb {

/// The checked header of a safetensors file. Entries are small and share two pools: a header of 100 MB can hold two
/// million of them. Sorted by name, bytewise.
class SafetensorsHeader {
 public:
  /// Checks `file`, the whole of it, against every rule of the format (safetensors.h). Keeps no reference to it.
  /// Throws IoError "safetensors: …; SOURCE".
  static SafetensorsHeader parse(std::span<const uint8_t> file, const std::string& source);

  static constexpr uint64_t kMaxBytes = 100'000'000;

  size_t size() const { return entries_.size(); }
  std::string_view name(size_t i) const {
    return std::string_view(names_).substr(entries_[i].name, entries_[i].name_size);
  }
  DType dtype(size_t i) const { return entries_[i].dtype; }
  Shape shape(size_t i) const { return Shape(dims_.data() + entries_[i].dims, entries_[i].rank); }
  /// Bytes of tensor i, counted from the start of the file.
  uint64_t begin(size_t i) const { return data_start_ + entries_[i].begin; }
  uint64_t end(size_t i) const { return data_start_ + entries_[i].end; }
  /// Index of the tensor of that name; size() when there is none.
  size_t find(std::string_view name) const;
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  friend class SafetensorsHandler;
  struct Entry {
    uint64_t begin, end;  // from the start of the data
    uint32_t name, name_size, dims;
    uint8_t rank;
    DType dtype;
  };

  void check_layout(uint64_t data_bytes, const std::string& source);
  void sort_by_name(const std::string& source);

  std::vector<Entry> entries_;
  std::string names_;
  std::vector<int64_t> dims_;
  std::map<std::string, std::string> metadata_;
  uint64_t data_start_ = 0;
};

/// "F32", "BOOL", …: what the format calls a dtype.
const char* safetensors_name_of(DType dtype);

}  // namespace plumb
