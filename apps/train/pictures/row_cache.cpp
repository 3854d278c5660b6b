#include "apps/train/pictures/row_cache.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <optional>

#include "engine/error.h"
#include "engine/format.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb::train {
namespace {

namespace fs = std::filesystem;

/// The tensors of a file if it is whole and has that many rows.
std::optional<TensorMap> read_rows(const fs::path& path, int64_t rows) {
  if (!fs::exists(path)) return std::nullopt;
  try {
    TensorMap tensors = load_safetensors(path);
    for (const auto& [name, tensor] : tensors)
      if (tensor.dtype() != DType::f32 || tensor.rank() < 1 || tensor.size(0) != rows) return std::nullopt;
    if (!tensors.empty()) return tensors;
  } catch (const IoError&) {  // cut short: made again
  }
  return std::nullopt;
}

}  // namespace

RowCache::RowCache(const fs::path& folder, const Options& options, const Make& make)
    : rows_a_file_(options.rows_a_file) {
  const fs::path inside = folder / (options.name + "-" + options.key.substr(0, 16));
  fs::create_directories(inside);
  bool said = options.quiet;
  for (int64_t begin = 0; begin < options.rows; begin += rows_a_file_) {
    const int64_t end = std::min(begin + rows_a_file_, options.rows);
    const fs::path path = inside / fmt::format("{:05}.safetensors", begin / rows_a_file_);
    std::optional<TensorMap> rows = read_rows(path, end - begin);
    if (!rows) {
      if (!said) std::fprintf(stderr, "caching %s in %s\n", options.name.c_str(), inside.c_str());
      said = true;
      save_safetensors(path, make(begin, end));
      rows = load_safetensors(path);
    }
    files_.push_back(std::move(*rows));
  }
}

Tensor RowCache::gather(const std::string& name, const std::vector<int64_t>& rows) const {
  const Tensor& first = files_.front().at(name);
  Shape shape = first.shape();
  shape[0] = int64_t(rows.size());
  Tensor out = empty(shape, DType::f32);
  const int64_t row = first.numel() / first.size(0);
  for (size_t i = 0; i < rows.size(); ++i) {
    const Tensor& file = files_[size_t(rows[i] / rows_a_file_)].at(name);
    std::memcpy(out.mutable_data<float>() + int64_t(i) * row, file.data<float>() + rows[i] % rows_a_file_ * row,
                size_t(row) * sizeof(float));
  }
  return out;
}

}  // namespace plumb::train
