#include "align/data/preference_dataset.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <unordered_set>

#include "align/data/preference_layouts.h"
#include "engine/error.h"
#include "engine/format.h"
#include "engine/io/file.h"
#include "engine/io/safetensors.h"
#include "engine/io/sha256.h"
#include "engine/ops.h"
#include "engine/parallel.h"
#include "engine/require.h"
#include "nn/data/picture_layouts.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

/// Where a set is described: a metadata file, or shards.
struct Place {
  fs::path metadata = {};
  std::vector<std::string> shards = {};
  bool found() const { return !metadata.empty() || !shards.empty(); }
};

Place find_in_folder(const fs::path& folder, const std::string& split) {
  std::error_code ignored;
  for (const char* name : {"metadata.jsonl", "metadata.csv"})
    if (fs::is_regular_file(folder / name, ignored)) return {.metadata = folder / name};
  Place place;
  for (const fs::path& path : list_folder(folder).others)
    if (path.extension() == ".tar") place.shards.push_back(path.string());
  if (!place.found() && !split.empty() && fs::is_directory(folder / split, ignored))
    return find_in_folder(folder / split, "");
  return place;
}

Place find_place(const std::string& path, const std::string& split) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return find_in_folder(path, split);
  if (path.ends_with(".tar")) return {.shards = expand_shards(path)};
  const bool is_table = path.ends_with(".csv") || path.ends_with(".jsonl");
  return is_table && fs::is_regular_file(path, ignored) ? Place{.metadata = path} : Place{};
}

bool is_latents(const PictureSource& source) { return source.file.ends_with(".safetensors"); }

void hash_text(Sha256& hash, std::string_view text) {
  const uint64_t size = text.size();
  hash.update(&size, sizeof size);
  hash.update(text);
}

/// Latents all have one size: only the bytes tell them apart.
void hash_source(Sha256& hash, const PictureSource& source) {
  constexpr uint64_t kWhole = 16 << 10, kEnd = 4 << 10;
  const fs::path path = source.member.empty() ? source.file : source.member;
  hash_text(hash, path.filename().string());
  hash.update(&source.size, sizeof source.size);
  if (source.file.empty()) return;
  const uint64_t head = source.size <= kWhole ? source.size : kEnd;
  hash.update(read_range(source.file, source.begin, head));
  if (head < source.size) hash.update(read_range(source.file, source.begin + source.size - kEnd, kEnd));
}

/// Throws IoError when that fails. Pictures may differ in size: they are cropped.
void decode(const PreferenceSample& sample, bool latents) {
  if (!latents) {
    read_picture(sample.winner);
    if (sample.has_loser()) read_picture(sample.loser);
    return;
  }
  const Shape winner = read_latents(sample.winner).shape();
  const Shape loser = sample.has_loser() ? read_latents(sample.loser).shape() : winner;
  require<IoError>(winner == loser, "{}: latents must be of one size ({} and {})", sample.loser.name(), winner, loser);
}

template <class Test>
bool all_of(const PreferenceDataset& dataset, Test test) {
  return std::all_of(dataset.samples.begin(), dataset.samples.end(), test);
}

}  // namespace

PreferenceRows::PreferenceRows(std::string layout, const PreferenceDatasetOptions& options) : options_(options) {
  dataset_.layout = std::move(layout);
}

void PreferenceRows::check(const std::string& where, const PreferenceSample& sample) {
  const PictureSource &winner = sample.winner, &loser = sample.loser;
  const bool latents = is_latents(winner);
  for (const PictureSource* each : {&winner, &loser}) {
    if (each->file.empty()) continue;
    require<IoError>(each->size > 0, "{}: file must not be empty ({}); make it again, or remove the row", where,
                     each->name());
    require<IoError>(is_latents(*each) == latents, "{}: winner and loser must both be pictures or both latents ({})",
                     where, each->name());
    require<IoError>(is_latents(*each) || !each->member.empty() || has_picture_name(each->file),
                     "{}: file must be .png, .jpg, .jpeg or .safetensors ({})", where, each->name());
  }
  require<IoError>(loser.file.empty() || winner.file != loser.file || winner.begin != loser.begin,
                   "{}: winner and loser must be two files (both are {})", where, winner.name());
  if (!dataset_.samples.empty()) {
    require<IoError>(latents == dataset_.latents, "{}: rows must all have pictures or all latents ({})", where,
                     winner.name());
    require<IoError>(sample.has_loser() == dataset_.samples.front().has_loser(),
                     "{}: all rows or none must have a loser; this one has {}", where,
                     sample.has_loser() ? "one" : "none");
  }
  require<IoError>(ids_.insert(sample.id).second, "{}: id must be given once ({})", where, sample.id);
  dataset_.latents = latents;
}

void PreferenceRows::add(const std::string& where, const std::function<std::optional<PreferenceSample>()>& read) {
  try {
    std::optional<PreferenceSample> sample = read();
    if (!sample) {
      ++dataset_.ties;
      return;
    }
    check(where, *sample);
    dataset_.samples.push_back(std::move(*sample));
  } catch (const IoError& error) {
    if (!options_.skip_broken) throw;
    dataset_.skipped.push_back(error.what());
  }
}

bool PreferenceDataset::has_losers() const {
  return all_of(*this, [](const PreferenceSample& sample) { return sample.has_loser(); });
}

bool PreferenceDataset::has_negatives() const {
  return all_of(*this, [](const PreferenceSample& sample) { return !sample.negatives.empty(); });
}

bool PreferenceDataset::is_unpaired() const {
  return all_of(*this, [](const PreferenceSample& sample) { return sample.label != 0; });
}

PreferenceDataset read_preference_dataset(const std::string& path, const PreferenceDatasetOptions& options) {
  const Place place = find_place(path, options.split);
  std::error_code ignored;
  require<IoError>(place.found(),
                   "data: preferences must be a folder with metadata.jsonl, metadata.csv or .tar files, or such a file "
                   "({}); {}",
                   fs::exists(path, ignored) ? "it has none" : "there is nothing", path);
  PreferenceDataset dataset = place.metadata.empty() ? read_preference_shards(place.shards, options)
                                                     : read_preference_metadata(place.metadata, options);
  require<IoError>(!dataset.samples.empty(), "data: no preference can be used ({} ties, {} broken rows{}); {}",
                   dataset.ties, dataset.skipped.size(),
                   dataset.skipped.empty() ? "" : ", the first: " + dataset.skipped.front(), path);
  return dataset;
}

bool is_preference_dataset(const std::string& path, const PreferenceDatasetOptions& options) {
  const Place place = find_place(path, options.split);
  if (!place.shards.empty()) return holds_preferences(place.shards.front());
  return !place.metadata.empty() && lists_preferences(place.metadata);
}

std::string hash_of(const PreferenceDataset& dataset) {
  Sha256 hash;
  for (const PreferenceSample& sample : dataset.samples) {
    hash_text(hash, sample.id);
    hash_text(hash, sample.prompt);
    hash_text(hash, std::to_string(sample.negatives.size()) + " " + std::to_string(sample.label));
    for (const std::string& text : sample.negatives) hash_text(hash, text);
    hash_source(hash, sample.winner);
    hash_source(hash, sample.loser);
  }
  return hash.finish_hex();
}

Tensor read_latents(const PictureSource& source) {
  const Tensor latents = SafetensorsFile(source.file).tensor("latents");
  require<IoError>(latents.rank() == 3 && latents.numel() > 0, "{}: latents must be [C, h, w] ({})", source.name(),
                   latents.shape());
  require<IoError>(is_floating(latents.dtype()), "{}: latents must be floating ({})", source.name(),
                   name_of(latents.dtype()));
  require<IoError>(all(isfinite(latents), {}, false).item<bool>(), "{}: latents must be finite", source.name());
  return latents.to(DType::f32);
}

PictureDataset pictures_of(const PreferenceDataset& dataset) {
  PictureDataset pictures{.layout = dataset.layout, .has_captions = true};
  for (const PreferenceSample& sample : dataset.samples)
    pictures.samples.push_back({.source = sample.winner, .caption = sample.prompt});
  if (dataset.has_losers())
    for (const PreferenceSample& sample : dataset.samples)
      pictures.samples.push_back({.source = sample.loser, .caption = sample.prompt});
  for (size_t i = 0; i < pictures.samples.size(); ++i) pictures.epoch.push_back(int64_t(i));
  return pictures;
}

PreferenceDataset one_sample_a_prompt(PreferenceDataset dataset) {
  std::unordered_set<std::string> seen;
  std::erase_if(dataset.samples, [&](const PreferenceSample& sample) { return !seen.insert(sample.prompt).second; });
  return dataset;
}

void drop_unreadable(PreferenceDataset& dataset) {
  std::vector<std::string> faults(dataset.samples.size());
  parallel_for(int64_t(faults.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) try {
        decode(dataset.samples[size_t(i)], dataset.latents);
      } catch (const IoError& error) {
        faults[size_t(i)] = error.what();
      }
  });
  std::vector<PreferenceSample> kept;
  for (size_t i = 0; i < faults.size(); ++i)
    if (faults[i].empty())
      kept.push_back(std::move(dataset.samples[i]));
    else
      dataset.skipped.push_back(std::move(faults[i]));
  dataset.samples = std::move(kept);
}

}  // namespace plumb
