#pragma once

#include <memory>
#include <optional>

#include "align/data_driven_pair.h"
#include "apps/align/pictures/held_out.h"
#include "apps/align/pictures/pair_order.h"
#include "apps/align/pictures/random_prompts.h"
#include "apps/align/pictures/reference_cache.h"
#include "apps/align/preference_run.h"
#include "apps/common/sample_grid.h"

namespace plumb {

/// The preferences of a run: those to learn from, and held-out ones where asked for.
struct PictureAlignData {
  PreferenceDataset train;
  std::optional<PreferenceDataset> validation = {};
  std::optional<PromptVariants> random_prompts = {};  ///< of random conditions
};

/// The run of `plumb align` on a model of pictures.
class PictureAligner final : public PreferenceRun {
 public:
  /// `settings`, resolved and with the transform filled in, and `data` must outlive it. Throws UsageError or ValueError
  /// for settings, model and data that do not fit together.
  PictureAligner(const PictureAlignSettings& settings, Json identity, const PictureAlignData& data, Pipeline pipeline);

  /// Makes what is measured and kept before the first step, once the output folder is there.
  void prepare(const OutputDir& out);

 private:
  void go_to(int64_t step) override;
  PreferencePairs pairs() override { return pairs_; }
  int64_t draws_of(int64_t step) const override;
  FrozenRows frozen() override { return frozen_; }
  bool looks_at(int64_t step) const override;
  void look_at(int64_t step, Step& done) override;
  void finish(const OutputDir& out, double seconds) override;

  /// Rows that are read and transformed together: those of one forward, or of a whole step where a batch's statistics
  /// extend over it.
  int64_t rows_read() const;
  PairPlan plan(int64_t batch);
  /// The adapters of a data-driven policy pair. Each start of a run makes the same.
  void train_policy();
  void cache_reference(const std::string& folder);
  double measure_reference_error();
  HeldOut::Found measure_held_out();

  const PictureAlignSettings& settings_;
  const PictureAlignData& data_;
  ObjectiveSettings objective_settings_;
  std::unique_ptr<Objective> objective_;
  Pipeline pipeline_;  // its unet moves into tuned_
  NoiseSchedule schedule_;
  Prediction prediction_;
  PairOrder order_;
  PairReader reader_;
  std::unique_ptr<RandomPrompts> random_prompts_;
  std::unique_ptr<HeldOut> held_out_;
  std::unique_ptr<SampleGrid> samples_;
  std::unique_ptr<FineTuned> tuned_;
  std::unique_ptr<PolicyPair> policy_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<Ema> ema_;
  std::unique_ptr<PreferenceTrainer> trainer_;
  PreferencePairs pairs_;  // of the step, on the device, always in the same memory
  std::unique_ptr<ReferenceCache> reference_;
  FrozenRows frozen_;  // of the step, as pairs_
  std::vector<Image> before_;
};

}  // namespace plumb
