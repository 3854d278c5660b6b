#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/io/image.h"

namespace plumb {

/// Where the bytes of a picture lie: a file, or a part of one.
struct PictureSource {
  std::string file;
  uint64_t begin = 0;
  uint64_t size = 0;
  std::string member = {};  ///< its name inside a tar; empty for a file of its own

  /// For messages: "shard.tar: 0001.png".
  std::string name() const { return member.empty() ? file : file + ": " + member; }
};

struct PictureSample {
  PictureSource source;
  std::string caption = {};
  int64_t label = 0;
};

/// Pictures with captions or class labels, in an order that depends on their names alone. Nothing is decoded yet.
struct PictureDataset {
  std::string layout = {};  ///< imagefolder, class folders, kohya, webdataset
  std::vector<PictureSample> samples = {};
  std::vector<int64_t> epoch = {};  ///< the samples of one epoch by number, those with repeats several times
  bool has_captions = false;
  std::vector<std::string> classes = {};  ///< names by label; empty without labels
  int64_t empty_captions = 0;
  std::vector<std::string> unused = {};  ///< pictures that no metadata mention
};

struct PictureDatasetOptions {
  std::string caption_column = "text";  ///< key of a caption in metadata and in a tar's .json
  std::string label_column = "label";   ///< of a class, a whole number or a name
  std::string split = "train";          ///< subfolder that is taken when there is one
};

/// Reads what lies at `path`, told by looking:
///   imagefolder    a folder with metadata.jsonl or metadata.csv: rows of file_name (relative to the metadata) and a
///                  caption or label                                                              [Hugging Face
///                  datasets]
///   kohya          folders N_name with pictures and captions of the same stem (.txt, .caption), each N times an epoch;
///                  a folder of pictures with such captions is one with N = 1                     [sd-scripts]
///   class folders  one folder of pictures a class, named after it
///   imagefolder    a folder of pictures and nothing else: no captions, no labels
///   webdataset     a .tar, a folder of them, or a pattern NAME-{000000..000099}.tar; a sample is the members that
///                  share a path up to the first dot of the name: .jpg .jpeg .png, .txt .caption .json, .cls
/// Pictures are PNG and JPEG. Throws IoError naming file and line and saying what to do: missing pictures and shards,
/// misspelt metadata, paths that begin with the split, names given twice, text that is not UTF-8, no pictures at all.
PictureDataset read_picture_dataset(const std::string& path, const PictureDatasetOptions& options = {});

/// The decoded picture, upright. Throws IoError naming the source.
Image read_picture(const PictureSource& source);

/// SHA-256 of names (without the folder they lie in), sizes, captions, labels and repeats: the same data at another
/// place are the same data.
std::string hash_of(const PictureDataset& dataset);

/// The samples' sizes in bytes, together.
uint64_t stored_bytes(const PictureDataset& dataset);

}  // namespace plumb
