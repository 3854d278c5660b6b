#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "align/data/preference_dataset.h"
#include "align/downgrade/downgrade.h"
#include "align/preference.h"
#include "apps/align/pictures/prompts.h"
#include "apps/train/pictures/latents.h"
#include "nn/data/picture_loader.h"

namespace plumb {

struct PairReaderOptions {
  PictureTransform transform = {};
  bool independent_transforms = false;             ///< winner and loser are cropped and mirrored by draws of their own
  bool losers = true;                              ///< whether they are read; else winners stand in their place
  bool negatives = false;                          ///< whether c- is read
  std::optional<DowngradeOptions> downgrade = {};  ///< losers are made from winners instead
  double proportion_empty_prompts = 0;
  bool cache_latents = true;
  int64_t workers = 2;
  uint64_t memory = uint64_t(2) << 30;  ///< bytes of resized pictures kept
  Device device = kCpu;
  bool quiet = false;
};

/// Which pairs a batch holds, and the key of its first; key.sample0 counts up from pair to pair.
struct PairPlan {
  std::vector<int64_t> pairs;
  RandomKey key;
};

/// Batches of at most `size` pairs one after the other; behind the last of `count` pairs they begin anew, for readers
/// ahead. The key is that of the pair's number.
PairPlan in_order(int64_t batch, int64_t count, int64_t size, const RandomKey& key);

/// Pairs of pictures as the network sees them: read ahead, cropped, mirrored, brought to latents where there is an
/// autoencoder, with one of the degraded prompts of each. What a batch holds depends on data, model and plan alone.
class PairReader {
 public:
  using PlanOf = std::function<PairPlan(int64_t batch)>;

  /// `data` and `pipeline` must outlive it; the pipeline's modules are on options.device, its unet is looked at now
  /// alone. Throws UsageError for data that the model or the options cannot take.
  PairReader(const PairReaderOptions& options, const PreferenceDataset& data, Pipeline& pipeline, PlanOf plan_of);
  PairReader(const PairReader&) = delete;
  PairReader& operator=(const PairReader&) = delete;

  /// Makes what is kept in a folder's caches: latents, and what the text encoders make of the prompts.
  void prepare(const std::string& folder);

  /// Of a batch, on the device. Throws IoError naming the picture that cannot be read.
  PreferencePairs at(int64_t batch);

  /// Of any plan, read at once: not from threads, and not while a batch is.
  PreferencePairs take(const PairPlan& plan);

  /// Of a sample as the network sees it, [C, H, W].
  const Shape& shape() const { return shape_; }

 private:
  /// Half of a batch before the autoencoder, or its moments where they are cached.
  struct Half {
    Tensor rows;
    std::vector<PictureOrigin> origins;
  };

  void check() const;
  std::unique_ptr<PictureLoader> loader(bool losers, bool taken);
  /// Where a half's crops and flips are drawn.
  RandomKey crop_key(const RandomKey& key, bool losers) const;
  /// Numbers in pictures_ of a half.
  std::vector<int64_t> pictures_of_half(const PairPlan& plan, bool losers) const;
  bool draws_others(const PairPlan& plan) const;
  Half read(int64_t batch, const PairPlan& plan, bool losers);
  PreferencePairs made(int64_t batch, const PairPlan& plan);
  Tensor read_stored(const std::vector<int64_t>& pictures) const;
  /// As the network sees them.
  Tensor seen(const Tensor& rows, const RandomKey& key) const;
  void set_conditions(const PairPlan& plan, const std::vector<PictureOrigin>& origins, PreferencePairs& pairs) const;

  PairReaderOptions options_;
  const PreferenceDataset& data_;
  Pipeline& pipeline_;
  PlanOf plan_of_;
  Shape shape_;
  bool size_ids_;  // SDXL is told sizes
  Prompts prompts_;
  PictureDataset pictures_;
  /// Null where nothing is loaded by them. Those of take() read the plan below.
  std::unique_ptr<PictureLoader> winners_, losers_, taken_winners_, taken_losers_;
  std::optional<PairPlan> taken_;
  int64_t takes_ = 0;
  std::unique_ptr<train::Latents> latents_;
};

}  // namespace plumb
