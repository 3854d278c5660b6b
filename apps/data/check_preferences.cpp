#include "apps/data/check_preferences.h"

#include <algorithm>
#include <map>

#include "engine/error.h"
#include "engine/format.h"
#include "engine/io/file.h"
#include "engine/io/read_image.h"
#include "engine/io/sha256.h"
#include "engine/parallel.h"

namespace plumb {
namespace {

constexpr size_t kMostListed = 20;

/// What one file showed.
struct Finding {
  std::string size = {}, hash = {}, error = {};
};

Finding look_at(const PictureSource& source, bool latents) {
  Finding finding;
  try {
    const std::string bytes = read_range(source.file, source.begin, source.size);
    finding.hash = sha256_hex(bytes);
    if (latents) {
      finding.size = fmt::format("{}", read_latents(source).shape());
    } else {
      const Image image = decode_image({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, source.name());
      finding.size = fmt::format("{} x {}", image.width, image.height);
    }
  } catch (const Error& error) {
    finding.error = error.what();
  }
  return finding;
}

/// By name: labelled sets have a picture in several pairs.
using Findings = std::map<std::string, Finding>;

Findings look_at_all(const PreferenceDataset& dataset, uint64_t& bytes) {
  std::map<std::string, PictureSource> sources;
  for (const PreferenceSample& sample : dataset.samples) {
    sources.emplace(sample.winner.name(), sample.winner);
    if (sample.has_loser()) sources.emplace(sample.loser.name(), sample.loser);
  }
  std::vector<std::pair<const PictureSource*, Finding*>> work;
  Findings findings;
  for (const auto& [name, source] : sources) {
    work.emplace_back(&source, &findings[name]);
    bytes += source.size;
  }
  parallel_for(int64_t(work.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) *work[size_t(i)].second = look_at(*work[size_t(i)].first, dataset.latents);
  });
  return findings;
}

Json prompts_of(const PreferenceDataset& dataset) {
  std::map<std::string_view, int64_t> counts;
  int64_t empty = 0;
  size_t longest = 0;
  for (const PreferenceSample& sample : dataset.samples) {
    ++counts[sample.prompt];
    empty += sample.prompt.empty();
    longest = std::max(longest, sample.prompt.size());
  }
  int64_t most = 0;
  for (const auto& [prompt, count] : counts) most = std::max(most, count);
  Json prompts = Json::object();
  return prompts.set("distinct", counts.size())
      .set("most_pairs", most)
      .set("empty", empty)
      .set("longest_bytes", longest);
}

Json negatives_of(const PreferenceDataset& dataset) {
  size_t pairs = 0, most = 0, fewest = dataset.samples.empty() ? 0 : dataset.samples.front().negatives.size();
  for (const PreferenceSample& sample : dataset.samples) {
    pairs += !sample.negatives.empty();
    most = std::max(most, sample.negatives.size());
    fewest = std::min(fewest, sample.negatives.size());
  }
  return Json::object().set("pairs", pairs).set("most", most).set("fewest", fewest);
}

void add_list(std::string& text, const char* what, const Json& lines) {
  if (lines.size() == 0) return;
  text += fmt::format("{}: {}\n", what, lines.size());
  for (size_t i = 0; i < std::min(lines.size(), kMostListed); ++i) text += "  " + lines[i].as_string() + "\n";
  if (lines.size() > kMostListed) text += fmt::format("  and {} more (--json lists all)\n", lines.size() - kMostListed);
}

}  // namespace

Json describe_preferences(const PreferenceDataset& dataset) {
  uint64_t bytes = 0;
  const Findings findings = look_at_all(dataset, bytes);
  Json broken = Json::array(), alike = Json::array(), sizes = Json::array();
  for (const std::string& text : dataset.skipped) broken.push_back(text);
  int64_t liked = 0, not_liked = 0, without_loser = 0;
  for (const PreferenceSample& sample : dataset.samples) {
    const Finding& winner = findings.at(sample.winner.name());
    const Finding& loser = sample.has_loser() ? findings.at(sample.loser.name()) : winner;
    liked += sample.label > 0, not_liked += sample.label < 0, without_loser += sample.label == 0 && !sample.has_loser();
    if (const Finding& wrong = winner.error.empty() ? loser : winner; !wrong.error.empty())
      broken.push_back(sample.id + ": " + wrong.error);
    else if (dataset.latents && winner.size != loser.size)
      broken.push_back(fmt::format("{}: latents must be of one size ({} and {})", sample.id, winner.size, loser.size));
    else if (sample.has_loser() && winner.hash == loser.hash)
      alike.push_back(sample.id);
  }
  std::map<std::string, int64_t> files;
  for (const auto& [name, finding] : findings)
    if (finding.error.empty()) ++files[finding.size];
  for (const auto& [size, count] : files) sizes.push_back(Json::object().set("size", size).set("files", count));
  Json json = Json::object();
  json.set("layout", dataset.layout).set("pairs", int64_t(dataset.samples.size()) - liked - not_liked);
  json.set("unpaired", Json::object().set("liked", liked).set("not_liked", not_liked));
  json.set("without_loser", without_loser).set("ties", dataset.ties).set("latents", dataset.latents);
  json.set("bytes", bytes).set("prompts", prompts_of(dataset)).set("negatives", negatives_of(dataset));
  json.set("sizes", std::move(sizes)).set("files", findings.size());
  return json.set("alike", std::move(alike)).set("broken", std::move(broken));
}

std::string format_preferences(const Json& data) {
  const auto number = [](const Json& json, const char* key) { return json.at(key).as_integer(); };
  const Json &unpaired = data.at("unpaired"), &prompts = data.at("prompts"), &negatives = data.at("negatives");
  std::string text = data.at("layout").as_string() + ":";
  if (number(data, "pairs") > 0) text += fmt::format(" {} pairs,", number(data, "pairs"));
  if (number(unpaired, "liked") + number(unpaired, "not_liked") > 0)
    text += fmt::format(" {} liked and {} not,", number(unpaired, "liked"), number(unpaired, "not_liked"));
  text += fmt::format(" {} files of {}, {:.1f} MiB\n", number(data, "files"),
                      data.at("latents").as_bool() ? "latents" : "pictures", double(number(data, "bytes")) / 1048576);
  if (number(data, "without_loser") > 0) text += fmt::format("without a loser: {}\n", number(data, "without_loser"));
  if (number(data, "ties") > 0) text += fmt::format("ties, left out: {}\n", number(data, "ties"));
  text += fmt::format("prompts: {} distinct, at most {} times, {} empty, the longest of {} bytes\n",
                      number(prompts, "distinct"), number(prompts, "most_pairs"), number(prompts, "empty"),
                      number(prompts, "longest_bytes"));
  if (number(negatives, "pairs") > 0)
    text += fmt::format("degraded prompts: for {}, {} to {} each\n", number(negatives, "pairs"),
                        number(negatives, "fewest"), number(negatives, "most"));
  for (const Json& size : data.at("sizes").as_array())
    text += fmt::format("  {}: {}\n", size.at("size").as_string(), number(size, "files"));
  add_list(text, "winner and loser are the same", data.at("alike"));
  add_list(text, "broken", data.at("broken"));
  return text;
}

}  // namespace plumb
