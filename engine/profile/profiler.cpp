// One recording under one mutex: while somebody looks, an op may cost a little more. Each thread knows the index of its
// innermost open event; an index left over from an earlier recording is told apart by the recording's number.

#include "engine/profile/profiler.h"

#include <chrono>
#include <cmath>
#include <cstring>
#include <mutex>

#include "engine/allocator.h"
#include "engine/cuda/capture.h"
#include "engine/cuda/transfer.h"
#include "engine/format.h"
#include "engine/profile/memory_hook.h"
#include "engine/require.h"
#include "engine/tensor.h"

namespace plumb {
namespace {

using Clock = std::chrono::steady_clock;

/// Where a thread is: valid while `recording` is that of the state below.
struct ThreadState {
  uint64_t recording = 0;
  int32_t number = 0;
  int32_t open = -1;
  std::vector<Tensor> outputs;  // of the open events, innermost last; only when they are searched
  std::vector<int32_t> owners;  // and the event of each
};
thread_local ThreadState this_thread;

struct Recording {
  std::mutex mutex;
  ProfilerOptions options;
  Profile profile;
  Clock::time_point begin;
  uint64_t number = 0;
  int32_t threads = 0;
  bool alive = false;

  int64_t now() const { return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin).count(); }
};

Recording& recording() {
  static Recording& instance = *new Recording;
  return instance;
}

/// This thread's state in the present recording; the caller holds the mutex.
ThreadState& enter(Recording& r) {
  ThreadState& state = this_thread;
  if (state.recording != r.number) state = {r.number, r.threads++, -1, {}, {}};
  return state;
}

/// Bytes of the distinct elements: dimensions repeated by expand() are read once.
int64_t least_bytes(const Tensor& x) {
  int64_t count = 1;
  for (int64_t d = 0; d < x.rank(); ++d)
    if (x.strides()[d] != 0) count *= x.shape()[d];
  return x.numel() == 0 ? 0 : count * size_of(x.dtype());
}

/// Position and value of the first element that is not finite; position -1 when all are.
NonFinite first_non_finite(const Tensor& x) {
  NonFinite found;
  if (!x.defined() || !is_floating(x.dtype())) return found;
  const std::vector<double> values = x.to_vector<double>();
  for (size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i])) return {0, int64_t(i), values[i], true};
  return found;
}

bool all_finite(const Tensor* const* inputs, int count) {
  for (int i = 0; i < count; ++i)
    if (first_non_finite(*inputs[i]).event == 0) return false;
  return true;
}

/// Looks through what `event` wrote, unless something was found before. Recording is off meanwhile.
void search_outputs(Recording& r, ThreadState& state, int32_t event, const Tensor* const* inputs, int count) {
  while (!state.owners.empty() && state.owners.back() >= event) {
    const Tensor output = std::move(state.outputs.back());
    const bool own = state.owners.back() == event;
    state.outputs.pop_back();
    state.owners.pop_back();
    if (!own || r.profile.non_finite.event >= 0) continue;
    NonFinite found = first_non_finite(output);
    if (found.event < 0) continue;
    found.event = event;
    found.inputs_finite = all_finite(inputs, count);
    r.profile.non_finite = found;
  }
}

}  // namespace

namespace detail {

int32_t begin_event(EventKind kind, const char* name, const Tensor* const* inputs, int count) {
  Recording& r = recording();
  std::lock_guard lock(r.mutex);
  if (!r.alive) return -1;
  ThreadState& state = enter(r);
  ProfileEvent event;
  event.name = name;
  event.kind = kind;
  event.thread = state.number;
  event.parent = state.open;
  for (int i = 0; i < count; ++i) {
    if (!inputs[i]->defined()) continue;
    event.read_bytes += least_bytes(*inputs[i]);
    if (event.input_count < ProfileEvent::kInputs)
      event.inputs[size_t(event.input_count++)] = {inputs[i]->shape(), inputs[i]->dtype()};
  }
  event.allocated_before = allocator_statistics(r.options.device).allocated_bytes;
  state.open = int32_t(r.profile.events.size());
  event.begin_ns = r.now();
  r.profile.events.push_back(event);
  return state.open;
}

void end_event(int32_t index, const Tensor* const* inputs, int count) {
  Recording& r = recording();
  if (r.options.device.is_cuda() && !is_capturing()) synchronize(r.options.device);
  const int64_t end = r.now();
  std::lock_guard lock(r.mutex);
  ThreadState& state = this_thread;
  if (!r.alive || state.recording != r.number) {
    state.outputs.clear();
    state.owners.clear();
    return;
  }
  ProfileEvent& event = r.profile.events[size_t(index)];
  event.end_ns = end;
  event.allocated_after = allocator_statistics(r.options.device).allocated_bytes;
  state.open = event.parent;
  if (event.parent >= 0) r.profile.events[size_t(event.parent)].children_ns += event.duration_ns();
  if (!r.options.find_non_finite) return;
  // Reading a tensor may call ops, which must neither wait for the mutex nor be recorded.
  profiling.store(false, std::memory_order_relaxed);
  search_outputs(r, state, index, inputs, count);
  profiling.store(true, std::memory_order_relaxed);
}

void event_output(int32_t index, const Tensor& output) {
  if (!output.defined()) return;
  Recording& r = recording();
  std::lock_guard lock(r.mutex);
  ThreadState& state = this_thread;
  if (!r.alive || state.recording != r.number) return;
  ProfileEvent& event = r.profile.events[size_t(index)];
  event.written_bytes += least_bytes(output);
  if (!event.has_output) event.output = {output.shape(), output.dtype()};
  event.has_output = true;
  // An op that was told to write an infinity made nothing.
  if (!r.options.find_non_finite || std::strcmp(event.name, "fill_") == 0) return;
  state.outputs.push_back(output);
  state.owners.push_back(index);
}

void event_elementwise(int32_t index, const Tensor& output, int64_t flops_each) {
  event_output(index, output);
  event_work(index, output.defined() && is_floating(output.dtype()) ? flops_each * output.numel() : 0, 0);
}

void event_work(int32_t index, int64_t flops, int64_t read_bytes) {
  Recording& r = recording();
  std::lock_guard lock(r.mutex);
  if (!r.alive || this_thread.recording != r.number) return;
  r.profile.events[size_t(index)].flops += flops;
  r.profile.events[size_t(index)].read_bytes += read_bytes;
}

void record_memory(const void* block, int64_t bytes, int64_t requested_bytes, DeviceType type) {
  Recording& r = recording();
  std::lock_guard lock(r.mutex);
  if (!r.alive || !r.options.memory || type != r.options.device.type) return;
  r.profile.memory.push_back({r.now(), bytes, requested_bytes, block, enter(r).open});
}

}  // namespace detail

Profiler::Profiler(const ProfilerOptions& options) {
  Recording& r = recording();
  std::lock_guard lock(r.mutex);
  require<Error>(!r.alive, "profiler: another one is alive; stop it first");
  r.options = options;
  r.profile = Profile{};
  r.profile.events.reserve(4096);
  r.profile.memory.reserve(8192);
  r.profile.allocated_before = allocator_statistics(options.device).allocated_bytes;
  r.threads = 0;
  ++r.number;
  r.alive = true;
  r.begin = Clock::now();
  detail::profiling.store(true);
}

Profiler::~Profiler() {
  if (!stopped_) stop();
}

Profile Profiler::stop() {
  Recording& r = recording();
  std::lock_guard lock(r.mutex);
  require<Error>(!stopped_, "profiler: was stopped before");
  stopped_ = true;
  detail::profiling.store(false);
  r.alive = false;
  r.profile.duration_ns = r.now();
  // What is still open (an op that threw past its caller's range) ends here.
  for (ProfileEvent& event : r.profile.events)
    if (event.end_ns == 0) event.end_ns = r.profile.duration_ns;
  return std::move(r.profile);
}

std::string path_of(const Profile& profile, int32_t event) {
  std::string path;
  for (; event >= 0; event = profile.events[size_t(event)].parent) {
    const ProfileEvent& at = profile.events[size_t(event)];
    const std::string name = at.kind == EventKind::backward ? std::string("d ") + at.name : at.name;
    path = path.empty() ? name : name + " / " + path;
  }
  return path;
}

const char* phase_of(const Profile& profile, int32_t event) {
  const char* phase = "";
  for (; event >= 0; event = profile.events[size_t(event)].parent)
    if (profile.events[size_t(event)].kind == EventKind::range) phase = profile.events[size_t(event)].name;
  return phase;
}

}  // namespace plumb
