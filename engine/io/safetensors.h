#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "engine/io/file.h"
#include "engine/io/safetensors_header.h"
#include "engine/tensor.h"

namespace plumb {

/// A safetensors file:
///   8 bytes, little-endian: N · N bytes of JSON, starting with '{', padded with blanks · the data, row-major
///   {"__metadata__": {KEY: STRING}, NAME: {"dtype": D, "shape": [sizes], "data_offsets": [BEGIN, END]}, ...}
/// Everything is checked before anything is used: header of at most 100 MB, strict JSON (json.h), unique names, only
/// known fields, dtypes F64 F32 F16 BF16 I64 I32 U8 BOOL, at most kMaxRank sizes, sizes and offsets that agree without
/// overflow, data covered exactly: no holes, no overlap, nothing after. All errors are IoError and name file and
/// tensor.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);

  size_t size() const { return header_.size(); }
  /// Names, dtypes, shapes, in order of the names, and the metadata: no data is touched.
  const SafetensorsHeader& header() const { return header_; }
  bool contains(std::string_view name) const { return header_.find(name) < header_.size(); }

  /// A tensor over the mapped file, without a copy; it keeps the mapping alive, and writing to it leaves the file
  /// alone. Tensors that do not lie on a multiple of their element size are copied. The file must not be truncated
  /// while such a tensor lives (replacing it by rename is fine): clone() what must outlast a file that others write to
  /// in place. Throws IoError when there is no such tensor, or when a BOOL holds a byte other than 0 and 1.
  Tensor tensor(std::string_view name) const;
  Tensor tensor(size_t index) const;

 private:
  std::string source_;
  std::shared_ptr<MappedFile> file_;
  SafetensorsHeader header_;
};

using TensorMap = std::map<std::string, Tensor, std::less<>>;
using Metadata = std::map<std::string, std::string>;

/// All tensors of a file (as SafetensorsFile::tensor).
TensorMap load_safetensors(const std::filesystem::path& path);

/// Writes a file that every reader takes: largest element size first, then by name; header padded to 8 bytes; logical
/// (row-major) order whatever the strides; atomically (file.h). Python readers want the default metadata.
/// Throws ValueError for an undefined tensor, and for a name that is "__metadata__", not UTF-8 or holds NUL; IoError.
void save_safetensors(const std::filesystem::path& path, const TensorMap& tensors,
                      const Metadata& metadata = {{"format", "pt"}}, Durability durability = Durability::synced);

}  // namespace plumb
