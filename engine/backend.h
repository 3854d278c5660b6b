#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "engine/config.h"
#include "engine/device.h"

namespace plumb {

/// Backend tags. A kernel is overloaded on them: `softmax_kernel(Cpu, …)`, `softmax_kernel(Cuda, …)`.
struct Cpu {};
/// What a launch needs to know: which device, which stream (a cudaStream_t), whether a kernel must take the slower way
/// where the fast one adds in no fixed order, and what random draws add to their key's step: a number in the device's
/// memory, or null for 0 (random/step_scope.h).
struct Cuda {
  int device = 0;
  void* stream = nullptr;
  bool deterministic = false;
  const int64_t* random_step = nullptr;
};

/// Context for work on the current stream of `device`. Throws DeviceError when that device is not there or CUDA is not
/// part of this build.
Cuda cuda_context(Device device);

/// Asks every kernel on CUDA for the same bits run after run. Off at the start.
void set_deterministic(bool deterministic);
bool is_deterministic();

/// The body of a kernel that has no CUDA version yet. Throws DeviceError. `op` is its name in `plumb op --list`, and in
/// cpu_only_ops().
[[noreturn]] void cpu_only(const char* op, const Cuda& cuda);
/// The ops that call cpu_only, sorted. Checked against the calls by tests/cpu_only_test.py; to end empty.
std::span<const std::string_view> cpu_only_ops();

/// The one branch on the backend: calls `f(Cpu{})` or `f(Cuda{…})`.
///   on_device(x.device(), [&](auto backend) { softmax_kernel(backend, x, dim, out); });
template <class F>
void on_device(Device device, F&& f) {
  if constexpr (kHasCuda) {
    if (device.is_cuda()) return f(cuda_context(device));
  }
  f(Cpu{});
}

}  // namespace plumb
