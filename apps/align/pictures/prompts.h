#pragma once

#include <memory>
#include <string>
#include <vector>

#include "align/data/preference_dataset.h"
#include "apps/train/pictures/texts.h"
#include "diffusion/condition.h"

namespace plumb {

/// The prompts c and c- of a preference set as the network is told them: what frozen text encoders make of each
/// different one, made once; for a network with classes the class that the prompt names; for any other nothing.
class Prompts {
 public:
  /// `data` and `pipeline` must outlive it; the pipeline holds its unet now alone. Throws UsageError for a network that
  /// looks at text without text encoder, and for a prompt that is no class of a network with classes.
  Prompts(const PreferenceDataset& data, const Pipeline& pipeline);

  /// Runs the text encoders over what is not in the folder's cache yet.
  void prepare(const std::string& folder, bool quiet);

  bool told() const { return text_ || classes_ > 0; }
  /// Whether there is an empty prompt to take the place of others.
  bool has_empty() const { return text_; }

  static constexpr int64_t kEmpty = 0;  ///< the number of the empty prompt
  /// Numbers of a sample's prompt and of its degraded versions.
  int64_t positive(int64_t sample) const { return positive_[size_t(sample)]; }
  const std::vector<int64_t>& negatives(int64_t sample) const { return negatives_[size_t(sample)]; }

  /// Rows of what the network is told, on the CPU; without time_ids.
  Condition of(const std::vector<int64_t>& numbers) const;

 private:
  void check_classes() const;

  const Pipeline& pipeline_;
  bool text_;
  int64_t classes_;
  std::vector<std::string> texts_;  // by number
  std::vector<int64_t> positive_;
  std::vector<std::vector<int64_t>> negatives_;
  std::unique_ptr<train::TextRows> rows_;
};

}  // namespace plumb
