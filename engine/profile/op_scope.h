#pragma once

#include <atomic>
#include <cstdint>

#include "engine/one_device.h"
#include "engine/profile/profile.h"

namespace plumb {

class Tensor;

namespace detail {
/// Whether a Profiler is alive. The only thing an op reads when none is.
inline constinit std::atomic<bool> profiling{false};
int32_t begin_event(EventKind kind, const char* name, const Tensor* const* inputs, int count);
void end_event(int32_t event, const Tensor* const* inputs, int count);
void event_output(int32_t event, const Tensor& output);
void event_elementwise(int32_t event, const Tensor& output, int64_t flops_each);
void event_work(int32_t event, int64_t flops, int64_t read_bytes);
}  // namespace detail

/// Tells a Profiler (profiler.h) about an op while it runs. Costs one load and a branch when there is none. In a build
/// with CUDA it also refuses inputs that are not on one device (DeviceError).
///
///   Tensor softmax(const Tensor& x, int64_t dim) {
///     OpScope scope("softmax", x);        // the tensors it reads, which must outlive the scope
///     ...
///     scope.writes(y);                    // once for every output
///     scope.flops(5 * x.numel());
template <int Inputs = 0>
class OpScope {
 public:
  template <class... Tensors>
  explicit OpScope(const char* name, const Tensors&... inputs) : inputs_{&inputs...} {
    if constexpr (Inputs > 1) require_one_device(name, inputs...);
    if (detail::profiling.load(std::memory_order_relaxed)) [[unlikely]]
      event_ = detail::begin_event(EventKind::op, name, inputs_, Inputs);
  }
  ~OpScope() {
    if (event_ >= 0) [[unlikely]]
      detail::end_event(event_, inputs_, Inputs);
  }
  OpScope(const OpScope&) = delete;
  OpScope& operator=(const OpScope&) = delete;

  void writes(const Tensor& output) const {
    if (event_ >= 0) [[unlikely]]
      detail::event_output(event_, output);
  }
  /// writes(output), with so many operations an element of it.
  void elementwise(const Tensor& output, int64_t flops_each = 1) const {
    if (event_ >= 0) [[unlikely]]
      detail::event_elementwise(event_, output, flops_each);
  }
  /// Floating-point operations, a multiply-add being two.
  void flops(int64_t count) const {
    if (event_ >= 0) [[unlikely]]
      detail::event_work(event_, count, 0);
  }
  /// Bytes read of tensors that are not listed because only a part of them is (rows of a table).
  void reads(int64_t bytes) const {
    if (event_ >= 0) [[unlikely]]
      detail::event_work(event_, 0, bytes);
  }

 private:
  const Tensor* inputs_[Inputs > 0 ? Inputs : 1];
  int32_t event_ = -1;
};
template <class... Tensors>
OpScope(const char*, const Tensors&...) -> OpScope<int(sizeof...(Tensors))>;

/// A named stretch of the program around the ops it calls: "forward", "optimizer". `name` must outlive the profile.
class ProfileRange {
 public:
  explicit ProfileRange(const char* name, EventKind kind = EventKind::range) {
    if (detail::profiling.load(std::memory_order_relaxed)) [[unlikely]]
      event_ = detail::begin_event(kind, name, nullptr, 0);
  }
  ~ProfileRange() {
    if (event_ >= 0) [[unlikely]]
      detail::end_event(event_, nullptr, 0);
  }
  ProfileRange(const ProfileRange&) = delete;
  ProfileRange& operator=(const ProfileRange&) = delete;

 private:
  int32_t event_ = -1;
};

}  // namespace plumb
