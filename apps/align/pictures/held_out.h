#pragma once

#include <memory>

#include "align/eval/preference_accuracy.h"
#include "apps/align/pictures/pair_reader.h"
#include "apps/align/pictures/settings.h"
#include "apps/common/run_log.h"

namespace plumb {

/// How well a model tells winners from losers of pairs it is not trained on: at each of ten timesteps, the middles of
/// equal intervals, with noise that is the same for winner and loser and at every measurement. A pair is ordered
/// rightly at t when the model's error on the winner fell more against the reference's than that on the loser, on the
/// forward process' target whatever the objective; a tie counts half.
class HeldOut {
 public:
  struct Models {
    Denoiser& student;
    Denoiser& initial;
    const NoiseSchedule& schedule;
    Prediction prediction;
  };

  /// `data` must outlive it, as what PairReader says.
  HeldOut(const PictureAlignSettings& settings, const PairReaderOptions& reading, const PreferenceDataset& data,
          Pipeline& pipeline, const RandomKey& key);

  void prepare(const std::string& folder) { reader_.prepare(folder); }

  struct Found {
    double accuracy = 0, margin = 0;
    std::vector<double> accuracy_by_bin;
  };
  Found measure(const Models& models);
  /// The same as names and numbers of the log.
  static NamedValues log_of(const Found& found);

 private:
  int64_t count_, batch_;
  RandomKey key_;
  PairReader reader_;
  std::vector<double> initial_;  // the initial model's margins, once they were needed
};

}  // namespace plumb
