#pragma once

#include "align/preference.h"

namespace plumb {

enum class DowngradeKind { random_image, blur, random_grid };

struct DowngradeOptions {
  DowngradeKind kind = DowngradeKind::random_image;
  bool allow_fixed_points = false;  ///< random_image: a plain permutation, as the released code has it
  Tensor data_set = {};             ///< random_image: winners of the whole set [P, …], for batches of one
};

/// Self-DPO's losers (Self-DPO paper, Eq. 8): x0_l = Downgrade(x0_w), made fresh each step from the winners alone, on
/// pixels before any encoder. Points take random_image, "another point". Fits a trainer's hook for pairs:
///   options.transform = Downgrade({.kind = DowngradeKind::blur});
/// random_image is a statistic of the batch it is given: hand it the whole effective batch for results that do not
/// depend on how the batch is cut. The others are made row by row; their draw belongs to the row's number, key.sample0
/// + i.
class Downgrade {
 public:
  explicit Downgrade(const DowngradeOptions& options) : options_(options) {}

  /// The same pairs with new losers. Throws as random_image, blur and random_grid do.
  PreferencePairs operator()(const PreferencePairs& batch, const RandomKey& key) const;

 private:
  DowngradeOptions options_;
};

}  // namespace plumb
