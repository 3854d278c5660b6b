#include <algorithm>
#include <set>
#include <system_error>

#include "engine/error.h"
#include "engine/require.h"
#include "nn/data/metadata_file.h"
#include "nn/data/picture_layouts.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

/// Rows of a metadata file, turned into samples one by one.
class MetadataReader {
 public:
  MetadataReader(const fs::path& metadata, const PictureDatasetOptions& options)
      : metadata_(metadata), folder_(metadata.parent_path()), options_(options) {}

  PictureDataset read() {
    const std::vector<MetadataRow> rows = read_metadata(metadata_);
    require<IoError>(!rows.empty(), "{}: metadata must have rows; write one for each picture", metadata_.string());
    dataset_.layout = "imagefolder";
    has_labels_ = rows.front().fields.find(options_.label_column) != nullptr;
    dataset_.has_captions = rows.front().fields.find(options_.caption_column) != nullptr;
    for (const MetadataRow& row : rows) add(row);
    if (has_labels_) number_labels();
    find_unused();
    return std::move(dataset_);
  }

 private:
  void add(const MetadataRow& row) {
    const std::string where = metadata_.string() + ":" + std::to_string(row.line);
    const Json* name = row.fields.find("file_name");
    require<IoError>(name && name->is_string(), "{}: row must name its picture; write \"file_name\": \"…\" (it has {})",
                     where, keys_of(row.fields));
    const fs::path path = picture_path(name->as_string(), where);
    const auto [earlier, is_new] = lines_.emplace(path.string(), row.line);
    require<IoError>(is_new, "{}: picture must be named once ({} is on line {} too); remove one", where,
                     name->as_string(), earlier->second);
    PictureSample sample{.source = whole_file(path)};
    if (dataset_.has_captions) {
      sample.caption = text_of(row.fields, options_.caption_column, where);
      dataset_.empty_captions += sample.caption.empty();
    }
    if (has_labels_) {
      labels_.push_back(text_of(row.fields, options_.label_column, where));
      table_.add(labels_.back());
    }
    dataset_.epoch.push_back(int64_t(dataset_.samples.size()));
    dataset_.samples.push_back(std::move(sample));
  }

  fs::path picture_path(const std::string& name, const std::string& where) const {
    const fs::path relative = fs::path(name).lexically_normal();
    require<IoError>(!name.empty() && relative.is_relative() && !relative.string().starts_with(".."),
                     "{}: file_name must be relative to the metadata's folder (\"{}\")", where, name);
    const fs::path path = folder_ / relative;
    std::error_code ignored;
    if (!fs::is_regular_file(path, ignored)) {
      const fs::path shorter = relative.lexically_relative(*relative.begin());
      const bool prefixed = shorter != "." && fs::is_regular_file(folder_ / shorter, ignored);
      raise<IoError>("{}: no picture {}; {}", where, path.string(),
                     prefixed ? "file_name is relative to the metadata's folder: write \"" + shorter.string() + "\""
                              : std::string("add it, or remove the row"));
    }
    return path;
  }

  /// A string, a whole number, or nothing.
  static std::string text_of(const Json& fields, const std::string& key, const std::string& where) {
    const Json* value = fields.find(key);
    require<IoError>(value, "{}: row must have \"{}\", as the first has (it has {})", where, key, keys_of(fields));
    if (value->is_null()) return "";
    if (value->kind() == Json::Kind::integer) return std::to_string(value->as_integer());
    require<IoError>(value->is_string(), "{}: \"{}\" must be a string ({})", where, key, value->dump());
    return value->as_string();
  }

  static std::string keys_of(const Json& fields) {
    std::string keys;
    for (const JsonMember& member : fields.as_object()) keys += (keys.empty() ? "" : ", ") + member.key;
    return keys.empty() ? "nothing" : keys;
  }

  void number_labels() {
    dataset_.classes = table_.number(metadata_.string());
    for (size_t i = 0; i < labels_.size(); ++i) dataset_.samples[i].label = table_.of(labels_[i]);
  }

  /// Pictures beside the metadata that no row names.
  void find_unused() {
    for (const fs::path& path : list_folder(folder_).pictures)
      if (!lines_.contains(path.lexically_normal().string())) dataset_.unused.push_back(path.string());
  }

  fs::path metadata_, folder_;
  const PictureDatasetOptions& options_;
  PictureDataset dataset_;
  bool has_labels_ = false;
  std::map<std::string, int64_t> lines_;  // by picture
  std::vector<std::string> labels_;
  LabelTable table_;
};

}  // namespace

PictureDataset read_image_folder(const fs::path& metadata, const PictureDatasetOptions& options) {
  return MetadataReader(metadata.lexically_normal(), options).read();
}

PictureDataset read_class_folders(const fs::path& folder) {
  PictureDataset dataset{.layout = "class folders"};
  for (const fs::path& inside : list_folder(folder).folders) {
    const FolderList list = list_folder(inside);
    if (list.pictures.empty()) continue;
    for (const fs::path& picture : list.pictures) {
      dataset.epoch.push_back(int64_t(dataset.samples.size()));
      dataset.samples.push_back({.source = whole_file(picture), .label = int64_t(dataset.classes.size())});
    }
    dataset.classes.push_back(inside.filename().string());
  }
  return dataset;
}

}  // namespace plumb
