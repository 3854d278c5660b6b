#include "nn/data/picture_layouts.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "engine/error.h"
#include "engine/io/file.h"
#include "engine/io/utf8.h"
#include "engine/require.h"

namespace plumb {

namespace fs = std::filesystem;

FolderList list_folder(const fs::path& folder) {
  FolderList list;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().filename().string().starts_with('.')) continue;
    std::error_code ignored;
    auto& kind = entry->is_directory(ignored)      ? list.folders
                 : has_picture_name(entry->path()) ? list.pictures
                                                   : list.others;
    kind.push_back(entry->path());
  }
  require<IoError>(!error, "data: folder cannot be read ({}); {}", error.message(), folder.string());
  for (auto* kind : {&list.pictures, &list.folders, &list.others}) std::sort(kind->begin(), kind->end());
  return list;
}

bool has_picture_name(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension)
    if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

PictureSource whole_file(const fs::path& path) {
  std::error_code error;
  const uint64_t size = fs::file_size(path, error);
  require<IoError>(!error, "data: picture cannot be read ({}); {}", error.message(), path.string());
  return {.file = path.string(), .begin = 0, .size = size};
}

std::string read_caption(const fs::path& path) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::string text = read_file(path, 1 << 20);
  require<IoError>(is_utf8(text), "{}: caption must be UTF-8; save the file in that encoding", path.string());
  const size_t first = text.find_first_not_of(kBlanks);
  return first == text.npos ? "" : text.substr(first, text.find_last_not_of(kBlanks) + 1 - first);
}

std::vector<std::string> LabelTable::number(const std::string& source) {
  constexpr int64_t kMostClasses = 100000;
  const auto whole_number = [](const std::string& text, int64_t& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
  };
  const bool numbers = std::all_of(names_.begin(), names_.end(), [&](const auto& entry) {
    int64_t ignored = 0;
    return whole_number(entry.first, ignored);
  });
  std::vector<std::string> classes;
  if (!numbers) {
    for (auto& [name, label] : names_) {
      label = int64_t(classes.size());
      classes.push_back(name);
    }
    return classes;
  }
  int64_t last = -1;
  for (auto& [name, label] : names_) {
    whole_number(name, label);
    require<IoError>(label >= 0 && label < kMostClasses, "{}: labels must be in [0, {}) ({})", source, kMostClasses,
                     name);
    last = std::max(last, label);
  }
  for (int64_t label = 0; label <= last; ++label) classes.push_back(std::to_string(label));
  return classes;
}

}  // namespace plumb
