#include <algorithm>
#include <map>

#include "align/data/preference_dataset.h"
#include "engine/error.h"
#include "engine/random/fills.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// For every sample the number of one with another prompt. Samples are sorted by prompt, so that those to be left out
/// of a draw lie together.
std::vector<size_t> draw_others(const std::vector<PreferenceSample>& samples, const RandomKey& key) {
  std::map<std::string_view, std::vector<size_t>> by_prompt;
  for (size_t i = 0; i < samples.size(); ++i) by_prompt[samples[i].prompt].push_back(i);
  require<ValueError>(by_prompt.size() >= 2, "losers: another prompt's winner needs at least two prompts ({})",
                      by_prompt.size());
  std::vector<size_t> order, others(samples.size());
  for (const auto& [prompt, same] : by_prompt) order.insert(order.end(), same.begin(), same.end());
  size_t begin = 0;
  for (const auto& [prompt, same] : by_prompt) {
    for (const size_t i : same) {
      int64_t draw = 0;
      fill_randint(key.at_sample(key.sample0 + i), {1, 1}, 0, int64_t(samples.size() - same.size()), &draw);
      others[i] = order[size_t(draw) < begin ? size_t(draw) : size_t(draw) + same.size()];
    }
    begin += same.size();
  }
  return others;
}

}  // namespace

LoserSource loser_source_from_name(std::string_view name) {
  if (name == "paired") return LoserSource::paired;
  if (name == "rand_positive") return LoserSource::rand_positive;
  if (name == "not_paired") return LoserSource::not_paired;
  raise<ValueError>("losers: unknown source {}; known: paired, rand_positive, not_paired", name);
}

PreferenceDataset with_losers(PreferenceDataset dataset, LoserSource source, const RandomKey& key) {
  for (const PreferenceSample& sample : dataset.samples) {
    require<ValueError>(sample.label == 0, "losers: samples must be pairs, not single ones with labels ({})",
                        sample.id);
    require<ValueError>(source != LoserSource::paired || sample.has_loser(),
                        "losers: sample {} has none; give another --loser_source", sample.id);
  }
  if (source == LoserSource::paired) return dataset;
  const std::vector<PreferenceSample> before = dataset.samples;
  const std::vector<size_t> others = draw_others(before, key);
  for (size_t i = 0; i < before.size(); ++i) {
    dataset.samples[i].loser = before[others[i]].winner;
    if (source == LoserSource::rand_positive) dataset.samples[i].negatives = {before[others[i]].prompt};
  }
  return dataset;
}

}  // namespace plumb
