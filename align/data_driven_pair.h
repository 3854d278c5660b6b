#pragma once

#include <functional>
#include <memory>

#include "align/policy_pair.h"
#include "align/preference.h"

namespace plumb {

/// How the two adapters of a data-driven pair are trained. Defaults are the released code's.
struct DataDrivenOptions {
  int64_t rank = 4;
  double alpha = 4;
  double learning_rate = 1e-4;  ///< of AdamW (0.9, 0.999, 1e-8, decay 0.01), constant
  int64_t steps = 300;          ///< at most this many are meant; 0 leaves both adapters at the initial model
  int64_t batch = 64;           ///< pairs a step, drawn with replacement
  double max_grad_norm = 1;     ///< 0: no clipping
  /// Layers that get an adapter, by path or its end; all that can carry one when empty.
  std::vector<std::string> targets = {};
  Prediction prediction = Prediction::epsilon;
};

/// Data-driven contrastive policy pair, DD-CPP (DDSPO paper, Sec. 3.2):
///   tw = phi_w(xw_t, t, c),   tl = phi_l(xl_t, t, c)
/// phi_w and phi_l are the initial model with a low-rank adapter each, "winner" and "loser", fine-tuned on winners and
/// on losers:
///   L_w = mean e(phi_w(xw_t, t, c), target_w),   L_l = mean e(phi_l(xl_t, t, c), target_l)
/// with one t for both and noise of their own. Both see c; c- is not read.
class DataDrivenPair final : public PolicyPair {
 public:
  /// Takes a network with trained adapters "winner" and "loser". Throws ValueError when one is missing.
  explicit DataDrivenPair(std::unique_ptr<Denoiser> network);

  Tensor targets(const NoisedPairs& batch, const Tensor& initial_prediction) override;

  /// The network with both adapters, for saving them (nn/lora/adapter_file.h).
  Denoiser& network() { return *network_; }

 private:
  std::unique_ptr<Denoiser> network_;
};

/// A preference set that is read row by row.
struct PairSource {
  int64_t size = 0;
  /// The pairs of a batch, chosen by number (i64 [B], repeats allowed); `key` is of the batch. On the device that
  /// computes.
  std::function<PreferencePairs(const Tensor& index, const RandomKey& key)> take;
};

/// Trains such a pair on `pairs`. The network is a private clone of `initial`, whose weights stay what they are:
/// several pairs of one initial model can be made and used on as many threads. All draws come from `key`; its step
/// counts the training steps. Throws ValueError for an empty preference set, an option outside its range, or an adapter
/// that is active in `initial`; NumericError when a loss stops being finite.
std::unique_ptr<DataDrivenPair> make_data_driven_pair(const Denoiser& initial, const NoiseSchedule& schedule,
                                                      const PreferencePairs& pairs, const RandomKey& key,
                                                      const DataDrivenOptions& options = {});
std::unique_ptr<DataDrivenPair> make_data_driven_pair(const Denoiser& initial, const NoiseSchedule& schedule,
                                                      const PairSource& pairs, const RandomKey& key,
                                                      const DataDrivenOptions& options = {});

}  // namespace plumb
