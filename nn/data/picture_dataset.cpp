#include "nn/data/picture_dataset.h"

#include <algorithm>
#include <system_error>

#include "engine/error.h"
#include "engine/io/file.h"
#include "engine/io/read_image.h"
#include "engine/io/sha256.h"
#include "engine/require.h"
#include "nn/data/picture_layouts.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

/// The metadata file of a folder, if it has one; throws for a misspelt one.
fs::path metadata_of(const fs::path& folder, const FolderList& list) {
  fs::path found, misspelt;
  for (const fs::path& path : list.others) {
    std::string name = path.filename().string();
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    if (path.filename() == "metadata.jsonl" || path.filename() == "metadata.csv") {
      require<IoError>(found.empty(),
                       "data: folder must have one metadata file (metadata.csv and metadata.jsonl); remove "
                       "one of {}",
                       folder.string());
      found = path;
    } else if (name.starts_with("metadata.") || name.starts_with("meta_data.")) {
      misspelt = path;
    }
  }
  require<IoError>(!found.empty() || misspelt.empty(),
                   "data: metadata must be called metadata.jsonl or metadata.csv; "
                   "rename {}",
                   misspelt.string());
  return found;
}

bool holds_shards(const FolderList& list) {
  return std::any_of(list.others.begin(), list.others.end(),
                     [](const fs::path& path) { return path.extension() == ".tar"; });
}

std::vector<std::string> shards_of(const FolderList& list) {
  std::vector<std::string> shards;
  for (const fs::path& path : list.others)
    if (path.extension() == ".tar") shards.push_back(path.string());
  return shards;
}

PictureDataset read_folder(const fs::path& folder, const PictureDatasetOptions& options) {
  const FolderList list = list_folder(folder);
  if (const fs::path metadata = metadata_of(folder, list); !metadata.empty())
    return read_image_folder(metadata, options);
  std::error_code ignored;
  const fs::path split = folder / options.split;
  if (list.pictures.empty() && !options.split.empty() && fs::is_directory(split, ignored))
    return read_folder(split, options);
  if (holds_shards(list)) return read_webdataset(shards_of(list), options);
  if (!list.pictures.empty()) return read_flat_folder(folder);
  return is_kohya(list) ? read_kohya_folders(folder) : read_class_folders(folder);
}

void hash_text(Sha256& hash, const std::string& text) {
  const uint64_t size = text.size();
  hash.update(&size, sizeof size);
  hash.update(text);
}

}  // namespace

PictureDataset read_picture_dataset(const std::string& path, const PictureDatasetOptions& options) {
  std::error_code ignored;
  PictureDataset dataset;
  if (fs::is_directory(path, ignored)) {
    dataset = read_folder(path, options);
  } else {
    const bool is_tar = path.ends_with(".tar");
    require<IoError>(is_tar, "data: path must be a folder or .tar files ({}); {}",
                     fs::exists(path, ignored) ? "it is neither" : "there is nothing", path);
    dataset = read_webdataset(expand_shards(path), options);
  }
  require<IoError>(!dataset.samples.empty(),
                   "data: path must hold pictures (no .png, .jpg or .jpeg there, nor in folders inside); {}", path);
  return dataset;
}

Image read_picture(const PictureSource& source) {
  const std::string bytes =
      source.member.empty() ? read_file(source.file) : read_range(source.file, source.begin, source.size);
  return decode_image({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, source.name());
}

std::string hash_of(const PictureDataset& dataset) {
  Sha256 hash;
  const auto number = [&](uint64_t value) { hash.update(&value, sizeof value); };
  for (const PictureSample& sample : dataset.samples) {
    const fs::path path = sample.source.member.empty() ? sample.source.file : sample.source.member;
    hash_text(hash, path.filename().string());
    hash_text(hash, sample.caption);
    number(sample.source.size);
    number(uint64_t(sample.label));
  }
  for (const int64_t sample : dataset.epoch) number(uint64_t(sample));
  for (const std::string& name : dataset.classes) hash_text(hash, name);
  return hash.finish_hex();
}

uint64_t stored_bytes(const PictureDataset& dataset) {
  uint64_t bytes = 0;
  for (const PictureSample& sample : dataset.samples) bytes += sample.source.size;
  return bytes;
}

}  // namespace plumb
