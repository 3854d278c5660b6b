#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "align/data/preference_dataset.h"

// The layouts of read_preference_dataset, and what they share.

namespace plumb {

/// Collects the rows of a set and judges what they have in common.
class PreferenceRows {
 public:
  PreferenceRows(std::string layout, const PreferenceDatasetOptions& options);

  /// Adds what `read` returns; nothing is a tie. What it throws, and a row that does not fit the others (an id given
  /// twice, one source as winner and loser, another kind), is the row's fault: IoError, or counted.
  /// `where` is FILE:LINE.
  void add(const std::string& where, const std::function<std::optional<PreferenceSample>()>& read);
  PreferenceDataset result() { return std::move(dataset_); }

 private:
  void check(const std::string& where, const PreferenceSample& sample);

  const PreferenceDatasetOptions& options_;
  PreferenceDataset dataset_;
  std::set<std::string> ids_;
};

PreferenceDataset read_preference_metadata(const std::filesystem::path& metadata,
                                           const PreferenceDatasetOptions& options);
PreferenceDataset read_preference_shards(const std::vector<std::string>& shards,
                                         const PreferenceDatasetOptions& options);

/// Whether the first member of a shard, or some row of a metadata file, looks like a preference.
bool holds_preferences(const std::string& shard);
bool lists_preferences(const std::filesystem::path& metadata);

/// Whether the first of two is better, from Pick-a-Pic's share for it: 1 or 0; nothing for 0.5. Throws IoError.
std::optional<bool> first_is_better(std::string_view share, const std::string& where);

}  // namespace plumb
