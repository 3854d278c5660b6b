#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/faults/shim.h"

namespace plumb::test {

/// What a power cut may leave of recorded calls, by what POSIX promises and no more: the content of a file is safe
/// after fsync of the file, names in a folder after fsync of the folder. Anything later may be lost, in any selection:
/// writes whole or torn, names one by one; only a rename is one change. A name may survive without the bytes behind it.
class DiskModel {
 public:
  /// Starts from what lies in `folder`, all of it on disk.
  explicit DiskModel(const std::filesystem::path& folder);

  void apply(const IoCall& call);

  enum class Loss { nothing, all, bytes, names, some };

  /// The files, by path relative to the folder, after a power cut now; folders end in '/'. `draw` chooses what
  /// Loss::some loses.
  std::map<std::string, std::string> after_power_cut(Loss loss, uint64_t draw) const;

 private:
  struct Write {
    size_t offset;
    std::string bytes;
  };
  /// A change of names in a folder: `removed` goes, `added` stands for `node`.
  struct Change {
    std::string removed, added;
    size_t node;
  };
  struct Node {
    bool is_folder = false;
    std::string live = {}, durable = {};                           // of a file
    std::vector<Write> writes = {};                                // since the last fsync
    std::map<std::string, size_t> names = {}, durable_names = {};  // of a folder
    std::vector<Change> changes = {};
  };
  struct Place {
    size_t folder;
    std::string name;
  };

  size_t read_folder(const std::filesystem::path& folder);
  Place place_of(const std::string& path) const;
  size_t node_of(const std::string& path) const;
  void change(size_t folder, const Change& made);
  void image(size_t node, const std::string& prefix, Loss loss, uint64_t& draw,
             std::map<std::string, std::string>& files) const;

  std::string root_;
  std::vector<Node> nodes_;
};

/// Writes what after_power_cut() gave into an empty folder.
void write_image(const std::filesystem::path& folder, const std::map<std::string, std::string>& files);

}  // namespace plumb::test
