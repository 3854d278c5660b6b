#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "engine/io/safetensors.h"

namespace plumb::train {

/// Rows of tensors that are made once and then read from files: FOLDER/NAME-KEY/00000.safetensors, …, each complete or
/// not there. The key stands for everything the rows depend on, so that those of other data are never read; a run that
/// was stopped goes on with the file it was at.
class RowCache {
 public:
  /// Rows [begin, end) of every tensor, f32 on the CPU, with end - begin rows each.
  using Make = std::function<TensorMap(int64_t begin, int64_t end)>;

  struct Options {
    std::string name = {};  ///< of the folder, and for progress
    std::string key = {};   ///< hexadecimal digits
    int64_t rows = 0;
    int64_t rows_a_file = 256;
    bool quiet = false;
  };

  /// Makes what is not there. Throws IoError, and what `make` throws.
  RowCache(const std::filesystem::path& folder, const Options& options, const Make& make);

  /// Rows of a tensor, [N, …] on the CPU.
  Tensor gather(const std::string& name, const std::vector<int64_t>& rows) const;
  bool contains(const std::string& name) const { return !files_.empty() && files_.front().contains(name); }

 private:
  int64_t rows_a_file_;
  std::vector<TensorMap> files_;  // over the mapped files
};

}  // namespace plumb::train
