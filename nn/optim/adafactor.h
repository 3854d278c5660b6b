#pragma once

#include <array>

#include "nn/optim/optimizer.h"

namespace plumb {

struct AdafactorSettings {
  double learning_rate = 1e-3;
  double decay_rate = -0.8;      ///< the second moment's decay in step t is 1 - t^decay_rate
  double epsilon = 1e-30;        ///< joins squared gradients
  double clip_threshold = 1;     ///< largest root mean square of a parameter's update, before the rate
  double weight_decay = 0;       ///< decoupled: w <- w (1 - rate weight_decay)
  double beta1 = 0;              ///< decay of a first moment; 0: none is kept
  bool scale_parameter = false;  ///< the rate is multiplied by max(epsilon_scale, root mean square of the parameter)
  double epsilon_scale = 1e-3;
};

/// Adafactor (Shazeer & Stern 2018) with the arithmetic of transformers' Adafactor at relative_step=False: the rate is
/// set from outside. Of a parameter of two or more dimensions the second moment is kept as the means of its last
/// dimension's rows R and columns C, over all leading dimensions apart:
///   R <- d R + (1 - d) mean_last(g^2 + epsilon),   C <- d C + (1 - d) mean_last_but_one(g^2 + epsilon)
///   u = g / sqrt(R / mean(R) C);   of a vector u = g / sqrt(V), V <- d V + (1 - d) (g^2 + epsilon)
///   u <- rate u / max(1, rms(u) / clip_threshold)
///   w <- w (1 - rate weight_decay) - u,   or with beta1 minus m <- beta1 m + (1 - beta1) u
/// State: exp_avg_sq_row (the shape without its last dimension) and exp_avg_sq_col (without the last but one), of
/// vectors exp_avg_sq; exp_avg with beta1. f32 (f64 for f64). Of a matrix [n, m] that is n + m numbers, of a
/// convolution's weight [o, i, h, w] o i (h + w). 16-bit weights are updated through their masters. transformers counts
/// the steps of each parameter; here one count is for all, which differs only for parameters that at times have no
/// gradient. Throws ValueError when a setting is outside its range.
class Adafactor final : public Optimizer {
 public:
  explicit Adafactor(const ParameterList& parameters, const AdafactorSettings& settings = {});

  /// Bytes of the state of such parameters.
  static int64_t state_bytes(const ParameterList& parameters, const AdafactorSettings& settings = {});

 private:
  /// A parameter as its memory lies, [leading, rows, columns] or, of kernels in channels-last order,
  /// [out, rows, columns, in]; a vector has one dimension.
  struct Part {
    Shape shape;
    int64_t offset = 0;
    Tensor rows, columns;  // [leading, rows, 1 (, in)], [leading, 1, columns (, in)]
    Tensor whole;          // of a vector
    Tensor mean;           // the first moment
  };
  /// Numbers of a step in the type that computes, 0-d: of the second moment the share that stays and that is new.
  struct Shares {
    Tensor kept, added;
  };

  void update_weights(const StepControl& control) override;
  StateDict states() const override;

  Part part_of(const ParameterArena::Group& group, size_t i) const;
  void update(ParameterArena::Group& group, Part& part, const StepControl& control, const Shares& shares);
  /// The gradient over the root of its second moment, which is brought up to date.
  Tensor normalised(const Tensor& grad, Part& part, const Shares& shares, const Tensor& skip) const;

  AdafactorSettings settings_;
  std::vector<std::vector<Part>> parts_;  // [group][parameter]
};

}  // namespace plumb
