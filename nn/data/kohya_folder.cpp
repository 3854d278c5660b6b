#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include "engine/error.h"
#include "engine/require.h"
#include "nn/data/picture_layouts.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

/// N of "N_name"; nothing for another name.
std::optional<int64_t> repeats_of(const fs::path& folder) {
  const std::string name = folder.filename().string();
  int64_t repeats = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), repeats);
  if (error != std::errc() || repeats < 0 || end == name.data() + name.size() || *end != '_') return std::nullopt;
  return repeats;
}

/// Captions of a folder by the stem they belong to.
std::map<std::string, fs::path> captions_of(const FolderList& list) {
  std::map<std::string, fs::path> captions;
  for (const fs::path& path : list.others) {
    if (path.extension() != ".txt" && path.extension() != ".caption") continue;
    const auto [earlier, is_new] = captions.emplace(path.stem().string(), path);
    require<IoError>(is_new, "data: picture must have one caption ({} and {}); remove one", earlier->second.string(),
                     path.string());
  }
  return captions;
}

/// Adds the pictures of one folder; those without a caption's file have an empty caption.
void add_folder(PictureDataset& dataset, const FolderList& list, int64_t repeats) {
  const std::map<std::string, fs::path> captions = captions_of(list);
  const size_t first = dataset.samples.size();
  std::map<std::string, fs::path> stems;
  for (const fs::path& picture : list.pictures) {
    const auto [earlier, is_new] = stems.emplace(picture.stem().string(), picture);
    const auto caption = captions.find(picture.stem().string());
    require<IoError>(is_new || caption == captions.end(),
                     "data: pictures with captions must differ in more than their "
                     "ending ({} and {}); rename one",
                     earlier->second.string(), picture.string());
    PictureSample sample{.source = whole_file(picture)};
    if (caption != captions.end()) sample.caption = read_caption(caption->second);
    dataset.has_captions = dataset.has_captions || caption != captions.end();
    dataset.empty_captions += sample.caption.empty();
    dataset.samples.push_back(std::move(sample));
  }
  for (const auto& [stem, path] : captions)
    require<IoError>(stems.contains(stem),
                     "{}: caption must have a picture {}.png or .jpg; add it, or remove the "
                     "caption",
                     path.string(), stem);
  for (int64_t i = 0; i < repeats; ++i)
    for (size_t sample = first; sample < dataset.samples.size(); ++sample) dataset.epoch.push_back(int64_t(sample));
}

}  // namespace

bool is_kohya(const FolderList& list) {
  return !list.folders.empty() && std::all_of(list.folders.begin(), list.folders.end(),
                                              [](const fs::path& folder) { return repeats_of(folder); });
}

PictureDataset read_kohya_folders(const fs::path& folder) {
  constexpr int64_t kMostRepeats = 100000;
  PictureDataset dataset{.layout = "kohya"};
  for (const fs::path& inside : list_folder(folder).folders) {
    const int64_t repeats = repeats_of(inside).value_or(1);
    require<IoError>(repeats >= 1 && repeats <= kMostRepeats,
                     "data: folder must be named N_name with 1 to {} repeats; "
                     "rename {}",
                     kMostRepeats, inside.string());
    add_folder(dataset, list_folder(inside), repeats);
  }
  if (!dataset.has_captions) dataset.empty_captions = 0;
  return dataset;
}

PictureDataset read_flat_folder(const fs::path& folder) {
  PictureDataset dataset{.layout = "kohya"};
  FolderList list = list_folder(folder);
  // A note beside the pictures (license.txt) is no caption.
  std::erase_if(list.others, [&](const fs::path& other) {
    return std::none_of(list.pictures.begin(), list.pictures.end(),
                        [&](const fs::path& picture) { return picture.stem() == other.stem(); });
  });
  add_folder(dataset, list, 1);
  if (!dataset.has_captions) dataset.empty_captions = 0, dataset.layout = "imagefolder";
  return dataset;
}

}  // namespace plumb
