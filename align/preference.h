#pragma once

#include "diffusion/condition.h"
#include "engine/random/random_key.h"
#include "engine/tensor.h"

namespace plumb {

/// A preference set: row i says that winners[i] is preferred to losers[i] under condition row i. `negative` is the
/// degraded condition c- of the pair, which the policy pairs of DDSPO read. With `labels` rows are samples judged one
/// by one (KTO): winners[i] is wanted or not, and losers are not read.
struct PreferencePairs {
  Tensor winners;  ///< x0_w, [P, …]
  Tensor losers;   ///< x0_l, like winners
  Condition condition;
  Condition negative;
  Tensor labels = {};  ///< +1 wanted, -1 unwanted, f32 [P]; undefined: rows are pairs

  bool is_unpaired() const { return labels.defined(); }
  int64_t size() const { return winners.size(0); }
  /// The pairs at `index` (i64 [B], repeats allowed; moved to where the pairs are). Throws IndexError.
  PreferencePairs take(const Tensor& index) const;
  /// Every member moved to a device.
  PreferencePairs to(Device device) const;
};

/// Rows `index` of every member of a condition.
Condition take(const Condition& condition, const Tensor& index);

/// The first pair of every prompt, in their order: a set without duplicate prompts (DSPO-nodup, DSPO paper, Table 6).
/// Prompts are class labels. Throws ValueError when the pairs have none.
PreferencePairs one_pair_a_prompt(const PreferencePairs& pairs);

/// For every row of `labels` (i64 [P]) the index of a row with another label, uniform among those. Row i depends on the
/// key and i alone. Throws ValueError when all labels are equal.
Tensor draw_other_prompts(const Tensor& labels, const RandomKey& key);

/// DDSPO without negative samples (Table 3b): the loser of pair i is the winner of pair other[i] (i64 [P]), and
///   rand_positive  c- is that other pair's condition
///   not_paired     c- stays the degraded version of pair i's own condition
PreferencePairs rand_positive_pairs(const PreferencePairs& pairs, const Tensor& other);
PreferencePairs not_paired_pairs(const PreferencePairs& pairs, const Tensor& other);

}  // namespace plumb
