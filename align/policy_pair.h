#pragma once

#include <memory>

#include "align/worlds/gaussians2d.h"
#include "diffusion/denoiser.h"
#include "diffusion/parameterization.h"
#include "diffusion/schedule/noise_schedule.h"

namespace plumb {

/// A batch of noised pairs, winners first.
struct NoisedPairs {
  Tensor x;             ///< x_t, [2B, …]
  Tensor t;             ///< i64 [2B]; both halves equal unless the noise is independent
  Tensor time;          ///< what networks are told of t, f32 [2B]
  Tensor sigma;         ///< of x, [2B, 1, …]
  Tensor target;        ///< forward-process regression target, like x
  Condition condition;  ///< c, 2B rows: the same for winner and loser
  Condition negative;   ///< c-, B rows; may be empty when the policy pair does not read it

  int64_t pairs() const { return x.size(0) / 2; }
};

/// Where the targets of DDSPO come from: a winning policy on the winners, a losing policy on the losers.
/// Targets are never differentiated, and no guidance enters them.
class PolicyPair {
 public:
  virtual ~PolicyPair() = default;
  /// Whether targets() wants the initial model's prediction: at (xw_t, t, c) for winners, (xl_t, t, c-) for losers.
  virtual bool reads_initial_prediction() const { return false; }
  /// Whether the targets are the forward process' own.
  virtual bool is_forward_process() const { return false; }
  /// tw over tl: [2B, …]. `initial_prediction` is that prediction, [2B, …], undefined unless read. It is made by the
  /// caller because the reference, while it is the initial model, can run in the same forward.
  virtual Tensor targets(const NoisedPairs& batch, const Tensor& initial_prediction) = 0;
};

/// tw = tl = the forward process' own target: with it DDSPO is Diffusion-DPO.
std::unique_ptr<PolicyPair> make_forward_process_pair();

/// Training-free contrastive policy pair, TF-CPP (DDSPO paper, Eq. 7), of the initial model:
///   tw = initial(xw_t, t, c),   tl = initial(xl_t, t, c-)
std::unique_ptr<PolicyPair> make_training_free_pair();

/// Oracle (2D world only): the exact epsilon of the winner's clean mode and of the loser's. Classes are read from
/// condition and negative. `world` and `schedule` must outlive the pair.
std::unique_ptr<PolicyPair> make_oracle_pair(const Gaussians2d& world, const NoiseSchedule& schedule);

}  // namespace plumb
