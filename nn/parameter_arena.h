#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "nn/visitors.h"

namespace plumb {

/// Puts parameters of one kind next to each other: values in one flat tensor, masters in a second, gradients in a
/// third. An optimiser, clipping or EMA then runs one loop over all of them, addresses stay what they are from step to
/// step, and a gradient is written in place by backward().
///
/// Every parameter starts at a multiple of kAlignment elements; the gaps are zero in all tensors and stay zero.
class ParameterArena {
 public:
  static constexpr int64_t kAlignment = 16;  // 64 bytes of f32: a cache line, a vector register

  /// Parameters of one value dtype, all with or all without a master, on one device.
  struct Group {
    DType dtype;
    Tensor values;   // [size], dtype
    Tensor masters;  // [size], f32; undefined without masters
    Tensor grads;    // [size], f32, or f64 for f64
    int64_t size = 0;

    /// The most exact copy: masters if there are any, else values.
    const Tensor& weights() const { return masters.defined() ? masters : values; }

    std::vector<NamedParameter> parameters;
    std::vector<int64_t> offsets;  // of each parameter
  };
  /// Elements [begin, end) of a group.
  struct Run {
    int64_t begin, end;
  };

  /// Moves the parameters' values, masters and gradients into fresh flat tensors (contents kept).
  /// Throws ValueError on an empty list or a parameter given twice.
  explicit ParameterArena(const ParameterList& parameters);
  ParameterArena(const ParameterArena&) = delete;
  ParameterArena& operator=(const ParameterArena&) = delete;

  const std::vector<Group>& groups() const { return groups_; }
  std::vector<Group>& groups() { return groups_; }

  /// Stretches of a group whose parameters hold a gradient now; one that covers everything in the usual case. What has
  /// received none (an unused branch) is left alone by optimisers and clipping, as torch does with grad = None.
  /// Throws Error when a parameter was moved out of this arena (a later arena, to_dtype).
  std::vector<Run> runs_with_grad(const Group& group) const;

  /// A tensor of the group's size viewed as its i-th parameter (shape and memory order of that parameter).
  static Tensor view(const Group& group, size_t i, const Tensor& flat);

 private:
  std::vector<Group> groups_;
};

}  // namespace plumb
