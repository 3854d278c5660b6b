#include "engine/io/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

#include "engine/error.h"
#include "engine/format.h"
#include "engine/io/json.h"
#include "engine/require.h"

namespace plumb {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian and read without conversion");

using Mapping = std::shared_ptr<MappedFile>;

// Sorted as they will lie in the file.
std::vector<std::pair<std::string_view, Tensor>> in_file_order(const TensorMap& tensors) {
  std::vector<std::pair<std::string_view, Tensor>> order;
  for (const auto& [name, tensor] : tensors) {
    require<ValueError>(tensor.defined(), "safetensors: tensor \"{}\" must be defined", name);
    require<ValueError>(name != "__metadata__" && name.find('\0') == name.npos,
                        "safetensors: name of a tensor must not be __metadata__ or hold NUL (\"{}\")", name);
    order.emplace_back(name, tensor);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return size_of(a.second.dtype()) > size_of(b.second.dtype()); });
  return order;
}

std::string header_text(const std::vector<std::pair<std::string_view, Tensor>>& order, const Metadata& metadata) {
  std::string text = "{";
  const auto begin_member = [&](std::string_view key) {
    if (text.back() != '{') text += ',';
    append_json_string(text, key);
    text += ':';
  };
  if (!metadata.empty()) {
    begin_member("__metadata__");
    text += '{';
    for (const auto& [key, value] : metadata) {
      begin_member(key);
      append_json_string(text, value);
    }
    text += '}';
  }
  int64_t offset = 0;
  for (const auto& [name, tensor] : order) {
    const int64_t end = offset + tensor.numel() * size_of(tensor.dtype());
    begin_member(name);
    text += fmt::format("{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}",
                        safetensors_name_of(tensor.dtype()), fmt::join(tensor.shape(), ","), offset, end);
    offset = end;
  }
  text += '}';
  text.append((8 - text.size() % 8) % 8, ' ');
  return text;
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : source_(path.string()),
      file_(std::make_shared<MappedFile>(path)),
      header_(SafetensorsHeader::parse(std::as_const(*file_).bytes(), source_)) {}

Tensor SafetensorsFile::tensor(std::string_view name) const {
  const size_t index = header_.find(name);
  require<IoError>(index < size(), "safetensors: file has no tensor \"{}\" ({} tensors); {}", name, size(), source_);
  return tensor(index);
}

Tensor SafetensorsFile::tensor(size_t index) const {
  require<IndexError>(index < size(), "safetensors: index must be below {} ({}); {}", size(), index, source_);
  const Shape shape = header_.shape(index);
  const DType dtype = header_.dtype(index);
  uint8_t* bytes = file_->bytes().data() + header_.begin(index);
  const size_t count = size_t(header_.end(index) - header_.begin(index));
  if (dtype == DType::boolean)
    require<IoError>(std::all_of(bytes, bytes + count, [](uint8_t byte) { return byte <= 1; }),
                     "safetensors: BOOL tensor \"{}\" must hold 0 and 1 only; {}", header_.name(index), source_);
  if (count == 0) return empty(shape, dtype);
  if (reinterpret_cast<uintptr_t>(bytes) % uintptr_t(size_of(dtype)) != 0) {
    Tensor copy = empty(shape, dtype);
    std::memcpy(copy.raw_mutable_data(), bytes, count);
    return copy;
  }
  const auto release = [](void* owner) { delete static_cast<Mapping*>(owner); };
  auto owner = std::make_unique<Mapping>(file_);
  Ref<Storage> storage = Storage::wrap(bytes, count, release, owner.get());
  owner.release();
  return Tensor::over(std::move(storage), dtype, shape, contiguous_strides(shape), 0);
}

TensorMap load_safetensors(const std::filesystem::path& path) {
  const SafetensorsFile file(path);
  TensorMap tensors;
  for (size_t i = 0; i < file.size(); ++i)
    tensors.emplace_hint(tensors.end(), std::string(file.header().name(i)), file.tensor(i));
  return tensors;
}

void save_safetensors(const std::filesystem::path& path, const TensorMap& tensors, const Metadata& metadata,
                      Durability durability) {
  const auto order = in_file_order(tensors);
  const std::string header = header_text(order, metadata);
  require<IoError>(header.size() <= SafetensorsHeader::kMaxBytes,
                   "safetensors: header must have at most {} bytes ({}); {}", SafetensorsHeader::kMaxBytes,
                   header.size(), path.string());
  const uint64_t length = header.size();
  AtomicFile file(path);
  file.write(&length, sizeof length);
  file.write(header);
  for (const auto& [name, tensor] : order) {
    const Tensor dense = tensor.to(kCpu).contiguous();
    file.write(dense.raw_data(), size_t(dense.numel() * size_of(dense.dtype())));
  }
  file.commit(durability);
}

}  // namespace plumb
