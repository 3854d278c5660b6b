#pragma once

#include <cstdint>
#include <optional>

#include "engine/cuda/graph.h"
#include "engine/random/step_scope.h"
#include "engine/tensor.h"

namespace plumb {

/// Runs the device's part of training steps: everything from a batch's rows to the weights, without the host. The
/// first steps run as they are (libraries load, plans are made, tables reach the device, gradients find their place);
/// then the step is captured as a graph of the device (engine/cuda/graph.h), and from there on replayed, with the same
/// bits. What changes between steps lies in tensors that the caller writes before: rows, learning rate. On the CPU
/// every step runs as it is.
/// `Output` is what a step leaves on the device for the host to read.
template <class Output>
class StepGraph {
 public:
  StepGraph(Device device, bool enabled)
      : device_(device), enabled_(enabled), step_(scalar(0, DType::i64, enabled ? device : kCpu)) {}

  /// Whether steps are to run this way.
  bool is_enabled() const { return enabled_; }

  /// work(s) is a step with the draws of step s. `made_of` stands for what a captured step is made of beside its
  /// inputs; with another, capturing begins anew.
  template <class Work>
  Output run(int64_t step, const void* made_of, Work&& work) {
    if (made_of != made_of_) {
      kept_.reset();
      made_of_ = made_of, eager_steps_ = 0;
    }
    if (device_.is_cpu() || eager_steps_ < kEagerSteps) {
      ++eager_steps_;
      return work(step);
    }
    step_.fill_(double(step));
    if (!kept_) {
      const RandomStepScope scope(step_);
      graph_.capture(device_, [&] { kept_ = work(0); });
    }
    graph_.replay();
    return *kept_;
  }

 private:
  static constexpr int kEagerSteps = 3;

  Device device_;
  bool enabled_;
  Tensor step_;  // i64, what the graph's draws add to their own
  CudaGraph graph_;
  std::optional<Output> kept_;  // in the graph's memory
  const void* made_of_ = nullptr;
  int eager_steps_ = 0;
};

}  // namespace plumb
