#pragma once

#include <span>
#include <string>

#include "apps/common/output_dir.h"
#include "apps/pairs/plan_pairs.h"
#include "engine/io/json.h"
#include "engine/tensor.h"

namespace plumb {

/// A folder of pairs that is filled batch by batch:
///   pairs.json              the settings the pairs follow from, before the first of them
///   winners/ID.EXT, losers/ID.EXT    each complete or not there
///   metadata.jsonl          one line a pair (align/data/preference_dataset.h), when all are there
/// A run that was stopped goes on where it was; more pairs of the same kind can be added.
class PairFolder {
 public:
  /// `identity` is what the files depend on. Throws UsageError naming the first difference when the folder holds pairs
  /// of another, and when it holds another data set.
  PairFolder(const PairsSettings& settings, const OutputDir& out, const Json& identity);

  bool holds(std::span<const PlannedPair> pairs) const;
  /// `drawn` is what the network drew, [1, C, h, w]; `pixels` the picture of it, read unless latents are kept.
  void add(const PlannedPair& pair, bool is_winner, const Tensor& drawn, const Tensor& pixels) const;
  /// Path of a winner or loser, relative to the folder.
  std::string name_of(const PlannedPair& pair, bool is_winner) const;
  void finish(const PlannedPairs& plan) const;

 private:
  const PairsSettings& s_;
  const OutputDir& out_;
};

/// The same for a folder that is not there yet or not opened: what the constructor would refuse. Touches nothing.
void check_pair_folder(const std::string& path, const Json& identity);

}  // namespace plumb
