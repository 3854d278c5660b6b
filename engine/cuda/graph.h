#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "engine/device.h"

namespace plumb {

/// Work for a CUDA device, recorded once and then replayed by one call instead of one launch an op.
///
///   step(); step();                               // eager: libraries load, plans are made, states and gradients exist
///   CudaGraph graph;
///   graph.capture(device, step);                  // runs step on the CPU; the device does nothing yet
///   for (...) {
///     timesteps.copy_(…); optimizer.set_learning_rate(…);   // what changes lies in tensors of the device
///     graph.replay();
///     if (n % 100 == 0) loss.item();
///   }
///
/// A replay repeats launches and copies with the addresses and numbers they were recorded with: the same bits as the
/// step itself, and what changes from step to step has to come from tensors on the device that the caller keeps and
/// writes to between replays (batch, timesteps, random step (random/step_scope.h), learning rate, skip flag).
/// Tensors made inside live in a pool that belongs to the graph; those that are still held after the capture are the
/// results, written again by every replay. Memory that is freed inside is kept by the graph, since replays use it.
/// Versions of storages do not count replays.
class CudaGraph {
 public:
  CudaGraph();
  /// Waits for the device when anything was captured. Results that are still held stay valid.
  ~CudaGraph();
  CudaGraph(const CudaGraph&) = delete;
  CudaGraph& operator=(const CudaGraph&) = delete;

  /// Records what `f` asks of `device` on this thread, on a stream of its own. Everything cached by the device's
  /// allocator is given back first. Drops what was captured before.
  /// Whatever `f` throws ends the capture and comes through; the device and its allocator go on as before. Throws Error
  /// naming the op when `f` needs the CPU in between: item(), to_vector(), copies from or to the CPU, synchronize().
  /// Throws DeviceError, CudaError; MemoryError naming sizes.
  void capture(Device device, const std::function<void()>& f);
  bool is_captured() const { return state_ != nullptr; }

  /// Asks the device's current stream for the whole work again. Throws Error when nothing was captured, CudaError.
  void replay();

  /// Launches, copies and fills in a replay.
  int64_t nodes() const;
  /// Bytes of the device that the graph keeps.
  int64_t pool_bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace plumb
