#pragma once

#include <map>

#include "nn/data/picture_dataset.h"

// The layouts of read_picture_dataset, one function each, and what they share.

namespace plumb {

/// Pictures and folders directly inside a folder, sorted by name; hidden ones (.name) are passed over.
struct FolderList {
  std::vector<std::filesystem::path> pictures, folders, others;
};
FolderList list_folder(const std::filesystem::path& folder);

/// Whether a name ends like a picture's that can be read: .png .jpg .jpeg, in any case.
bool has_picture_name(const std::filesystem::path& path);

PictureSource whole_file(const std::filesystem::path& path);

/// The text of a caption's file without blanks at its ends. Throws IoError when it is not UTF-8.
std::string read_caption(const std::filesystem::path& path);

/// Class numbers by name, in the order of the names; labels that are whole numbers keep their values.
class LabelTable {
 public:
  void add(const std::string& name) { names_[name] = 0; }
  /// Numbers the names added; returns the classes. Throws IoError for numbers below 0 or above 100000; naming `source`.
  std::vector<std::string> number(const std::string& source);
  int64_t of(const std::string& name) const { return names_.at(name); }

 private:
  std::map<std::string, int64_t> names_;
};

PictureDataset read_image_folder(const std::filesystem::path& metadata, const PictureDatasetOptions& options);
PictureDataset read_class_folders(const std::filesystem::path& folder);
PictureDataset read_kohya_folders(const std::filesystem::path& folder);
/// Pictures of one folder, with captions beside them where there are any.
PictureDataset read_flat_folder(const std::filesystem::path& folder);
PictureDataset read_webdataset(const std::vector<std::string>& shards, const PictureDatasetOptions& options);

/// Whether all folders inside are called N_name.
bool is_kohya(const FolderList& list);
/// The files of a pattern with {FIRST..LAST} ranges; the path itself without one. Throws IoError for a broken pattern.
std::vector<std::string> expand_shards(const std::string& pattern);

}  // namespace plumb
