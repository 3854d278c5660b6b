#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "autograd/variable.h"
#include "engine/ops/loss/sample_error.h"

namespace plumb {

/// What an objective reads. Batches of pairs are laid out winners first: rows [0, B) are winners, [B, 2B) losers.
struct ObjectiveInput {
  Variable pred = {};                  ///< student's prediction, [2B, …]
  Tensor ref = {};                     ///< frozen reference's prediction, like pred; unread unless uses_reference()
  Tensor target = {};                  ///< what the network regresses, like pred; never differentiated
  Tensor timesteps = {};               ///< i64 [2B] or undefined; read by time-dependent weights
  int64_t num_train_timesteps = 1000;  ///< T
  Tensor alphas_cumprod = {};          ///< abar_t of the schedule, [T] or undefined; read by DSPO's time_weights
  Tensor labels = {};                  ///< +1 or -1, [N], any numeric type, or undefined: winners +1; read by KTO
  Tensor pred_roll = {};               ///< student's prediction under other samples' conditions; KTO's mismatched
  Tensor ref_roll = {};                ///< the reference's, like pred_roll
  Tensor logit_scale = {};  ///< factor of each logit (align/reward_scale.h), [B] ([N] for KTO); undefined: 1. Unread by
                            ///< objectives without a logit (sft, dspo_e)
  Tensor statistics = {};   ///< batch_statistics() of the effective batch this is a part of; undefined: of this batch
  /// e(reference) per sample, [2B], in place of ref, for an objective that takes_reference_errors().
  Tensor ref_error = {};
  bool winners_only = false;  ///< rows are [B, …] winners; only for an objective that uses_losers() not
};

/// What an objective gives. Tensors are detached and in f32 (f64 for f64 input); undefined where they do not apply.
struct ObjectiveOutput {
  Variable loss = {};             ///< [1]-element scalar, shape []
  Tensor logit = {};              ///< z: [B] of pairs, [N] of samples for KTO
  Tensor implicit_accuracy = {};  ///< mean[z > 0], []
  Tensor error = {};              ///< e(student) per sample, [2B] or [B]
  Tensor ref_error = {};          ///< e(reference) per sample
  Tensor gain = {};    ///< e(student) - e(reference) per sample, [2B], with the digits their difference lacks
  Tensor offset = {};  ///< KTO's k, []
  Tensor labels = {};  ///< KTO's s, [N]
  Tensor weight = {};  ///< DSPO's mean of lambda gamma (1 - sigmoid(z)), []
};

/// A training objective: a pure function of predictions and targets. One file each in align/objectives/.
class Objective {
 public:
  virtual ~Objective() = default;
  virtual std::string_view name() const = 0;
  /// Whether losing samples take part; if not, only winners need be evaluated.
  virtual bool uses_losers() const = 0;
  /// Whether the reference's predictions are read.
  virtual bool uses_reference() const = 0;
  /// Whether the reference's errors (ObjectiveInput::ref_error) will do in place of its predictions.
  virtual bool takes_reference_errors() const { return false; }
  /// Whether predictions under other samples' conditions (pred_roll, ref_roll) are read.
  virtual bool reads_rolled_conditions() const { return false; }
  /// Whether samples are judged one by one: winner and loser of a pair are then two samples, each with its own t and
  /// noise.
  virtual bool is_unpaired() const { return false; }
  /// What the loss needs to know of the whole batch, as sums over samples (f64 [m]) that add up over its parts: a part
  /// given their total as ObjectiveInput::statistics computes its share of the whole batch's loss. Undefined for
  /// objectives that are plain means over pairs. No gradient flows through it. Throws as the objective does.
  virtual Tensor batch_statistics(const ObjectiveInput&) const { return {}; }
  /// Throws ShapeError or DTypeError when the input does not fit.
  virtual ObjectiveOutput operator()(const ObjectiveInput& input) const = 0;
};

/// Options as `key = value` text, in the spelling of docs and command line.
using ObjectiveSettings = std::vector<std::pair<std::string, std::string>>;

struct ObjectiveEntry {
  std::string_view name;
  std::string_view summary;
  std::unique_ptr<Objective> (*make)(const ObjectiveSettings& settings);
};

/// Every objective there is, in the order of the papers.
const std::vector<ObjectiveEntry>& objective_table();

/// An objective by name. Throws ValueError for an unknown name, key, or a value outside its domain (the message lists
/// what is known).
std::unique_ptr<Objective> make_objective(std::string_view name, const ObjectiveSettings& settings = {});

namespace detail {
/// Throws unless pred, ref and target fit together and, for pairs, have an even number of rows.
void check_objective_input(std::string_view objective, const ObjectiveInput& input, bool pairs, bool reference);
}  // namespace detail

}  // namespace plumb
