#include "apps/data/check_pictures.h"

#include <algorithm>
#include <set>

#include "engine/error.h"
#include "engine/format.h"
#include "engine/io/file.h"
#include "engine/io/read_image.h"
#include "engine/io/sha256.h"
#include "engine/parallel.h"

namespace plumb {
namespace {

constexpr size_t kMostListed = 20;

struct Finding {
  int64_t width = 0, height = 0;
  std::string hash = {}, error = {};
};

Finding look_at(const PictureSource& source) {
  Finding finding;
  try {
    const std::string bytes = read_range(source.file, source.begin, source.size);
    finding.hash = sha256_hex(bytes);
    const Image image = decode_image({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, source.name());
    finding.width = image.width, finding.height = image.height;
  } catch (const Error& error) {
    finding.error = error.what();
  }
  return finding;
}

Json captions_of(const PictureDataset& dataset) {
  std::set<std::string_view> distinct;
  size_t longest = 0;
  for (const PictureSample& sample : dataset.samples) {
    distinct.insert(sample.caption);
    longest = std::max(longest, sample.caption.size());
  }
  Json captions = Json::object();
  captions.set("there", dataset.has_captions).set("empty", dataset.empty_captions);
  return captions.set("distinct", dataset.has_captions ? distinct.size() : 0).set("longest_bytes", longest);
}

Json classes_of(const PictureDataset& dataset) {
  std::vector<int64_t> counts(dataset.classes.size());
  if (!counts.empty())
    for (const PictureSample& sample : dataset.samples) ++counts[size_t(sample.label)];
  Json classes = Json::array();
  for (size_t i = 0; i < counts.size(); ++i)
    classes.push_back(Json::object().set("name", dataset.classes[i]).set("pictures", counts[i]));
  return classes;
}

/// "a", "b" and so on, at most kMostListed of them, each on a line.
void append_list(std::string& text, const char* what, const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  text += fmt::format("{}: {}\n", what, lines.size());
  for (size_t i = 0; i < std::min(lines.size(), kMostListed); ++i) text += "  " + lines[i] + "\n";
  if (lines.size() > kMostListed) text += fmt::format("  and {} more (--json lists all)\n", lines.size() - kMostListed);
}

std::vector<std::string> lines_of(const Json& array) {
  std::vector<std::string> lines;
  for (const Json& line : array.as_array()) lines.push_back(line.as_string());
  return lines;
}

void append_sizes(std::string& text, const Json& sizes, int64_t resolution) {
  int64_t small = 0;
  std::vector<std::pair<int64_t, std::string>> lines;
  for (const Json& size : sizes.as_array()) {
    const int64_t width = size.at("width").as_integer(), height = size.at("height").as_integer();
    const int64_t pictures = size.at("pictures").as_integer();
    if (std::min(width, height) < resolution) small += pictures;
    lines.emplace_back(-pictures, fmt::format("{} x {}: {}", width, height, pictures));
  }
  std::stable_sort(lines.begin(), lines.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> sorted;
  for (auto& [count, line] : lines) sorted.push_back(std::move(line));
  append_list(text, "sizes", sorted);
  if (small > 0) text += fmt::format("smaller than {}: {} (they are made larger)\n", resolution, small);
}

}  // namespace

PictureFindings check_pictures(const PictureDataset& dataset) {
  std::vector<Finding> all(dataset.samples.size());
  parallel_for(int64_t(all.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) all[size_t(i)] = look_at(dataset.samples[size_t(i)].source);
  });
  PictureFindings findings;
  std::map<std::string, std::string> first;
  for (size_t i = 0; i < all.size(); ++i) {
    const std::string name = dataset.samples[i].source.name();
    if (!all[i].error.empty()) {
      findings.broken.push_back(all[i].error);
      continue;
    }
    ++findings.sizes[{all[i].width, all[i].height}];
    const auto [earlier, is_new] = first.emplace(all[i].hash, name);
    if (!is_new) findings.duplicates.emplace_back(name, earlier->second);
  }
  return findings;
}

Json describe_data(const PictureDataset& dataset, const PictureFindings& findings) {
  Json sizes = Json::array(), duplicates = Json::array(), unused = Json::array(), broken = Json::array();
  for (const auto& [size, count] : findings.sizes)
    sizes.push_back(Json::object().set("width", size.first).set("height", size.second).set("pictures", count));
  for (const auto& [name, earlier] : findings.duplicates) duplicates.push_back(name + " is " + earlier);
  for (const std::string& name : dataset.unused) unused.push_back(name);
  for (const std::string& error : findings.broken) broken.push_back(error);
  Json json = Json::object();
  json.set("layout", dataset.layout).set("pictures", dataset.samples.size()).set("epoch", dataset.epoch.size());
  json.set("bytes", stored_bytes(dataset)).set("captions", captions_of(dataset)).set("classes", classes_of(dataset));
  json.set("sizes", std::move(sizes)).set("unused", std::move(unused)).set("duplicates", std::move(duplicates));
  return json.set("broken", std::move(broken));
}

std::string format_data(const Json& data, int64_t resolution) {
  const Json& captions = data.at("captions");
  std::string text = fmt::format("{}: {} pictures, {} an epoch, {:.1f} MiB\n", data.at("layout").as_string(),
                                 data.at("pictures").as_integer(), data.at("epoch").as_integer(),
                                 double(data.at("bytes").as_integer()) / 1048576);
  if (captions.at("there").as_bool())
    text +=
        fmt::format("captions: {} distinct, {} empty, the longest of {} bytes\n", captions.at("distinct").as_integer(),
                    captions.at("empty").as_integer(), captions.at("longest_bytes").as_integer());
  std::vector<std::string> classes;
  for (const Json& entry : data.at("classes").as_array())
    classes.push_back(fmt::format("{}: {}", entry.at("name").as_string(), entry.at("pictures").as_integer()));
  append_list(text, "classes", classes);
  append_sizes(text, data.at("sizes"), resolution);
  append_list(text, "in no metadata", lines_of(data.at("unused")));
  append_list(text, "the same picture twice", lines_of(data.at("duplicates")));
  append_list(text, "broken", lines_of(data.at("broken")));
  return text;
}

}  // namespace plumb
