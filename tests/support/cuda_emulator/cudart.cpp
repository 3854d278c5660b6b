#include "tests/support/cuda_emulator/cudart.h"

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "tests/support/cuda_emulator/device_memory.h"

/// What a capture has recorded so far.
struct EmulatedGraph {
  std::vector<std::function<void()>> nodes;
};
struct EmulatedGraphExec {
  std::vector<std::function<void()>> nodes;
};

namespace {

using plumb::emulator::DeviceAccess;

struct Capture {
  std::unique_ptr<EmulatedGraph> graph = std::make_unique<EmulatedGraph>();
  cudaStream_t origin = nullptr;
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  bool spoiled = false;
};

/// What a stream has been asked for and has not done yet.
struct Queue {
  struct Item {
    std::function<void()> work;    // or, if empty:
    std::shared_ptr<Queue> other;  // waits until this one has done
    uint64_t until = 0;            // so many items
  };
  std::deque<Item> items;
  uint64_t asked = 0, done = 0;
};

/// When an event is reached.
struct Moment {
  bool reached = false;
  std::chrono::steady_clock::time_point time;
};

}  // namespace

struct EmulatedStream {
  std::shared_ptr<Capture> capture;
  std::shared_ptr<Queue> queue = std::make_shared<Queue>();
};
struct EmulatedEvent {
  std::shared_ptr<Capture> capture;  // it was recorded in
  std::shared_ptr<Queue> queue;      // of the stream it marks
  uint64_t position = 0;             // and where
  std::shared_ptr<Moment> moment;
  bool timed = false;
};

namespace {

// Everything below is looked at under this one.
std::recursive_mutex& mutex() {
  static std::recursive_mutex& instance = *new std::recursive_mutex;
  return instance;
}
template <class T>
std::set<T*>& living() {
  static std::set<T*>& instance = *new std::set<T*>;
  return instance;
}
template <class T>
bool is_living(T* handle) {
  return living<T>().contains(handle);
}

thread_local cudaError_t last_error = cudaSuccess;
thread_local cudaStreamCaptureMode thread_mode = cudaStreamCaptureModeGlobal;
thread_local std::vector<std::shared_ptr<Capture>> of_thread;  // captures that this thread began

cudaError_t fail(cudaError_t status) { return last_error = status; }

cudaError_t spoil(Capture& capture, cudaError_t status) {
  capture.spoiled = true;
  return fail(status);
}

/// Of calls that may wait for the device or go past streams: forbidden while this thread captures.
cudaError_t unsafe_call() {
  if (thread_mode == cudaStreamCaptureModeRelaxed) return cudaSuccess;
  for (const std::shared_ptr<Capture>& capture : of_thread)
    if (capture->mode != cudaStreamCaptureModeRelaxed) return spoil(*capture, cudaErrorStreamCaptureUnsupported);
  return cudaSuccess;
}

/// The capture of a stream; null: none. The default stream cannot be captured.
Capture* capture_of(cudaStream_t stream) { return stream ? stream->capture.get() : nullptr; }

bool lazy = std::getenv("PLUMB_EMULATOR_LAZY") != nullptr;

void do_now(const std::function<void()>& work) {
  const DeviceAccess access;
  work();
}

void run_until(Queue& queue, uint64_t position) {
  while (queue.done < position && !queue.items.empty()) {
    const Queue::Item item = std::move(queue.items.front());
    queue.items.pop_front();
    ++queue.done;
    if (item.work)
      do_now(item.work);
    else
      run_until(*item.other, item.until);
  }
}
void run_all(Queue& queue) { run_until(queue, queue.asked); }
void run_everything() {
  for (EmulatedStream* stream : living<EmulatedStream>()) run_all(*stream->queue);
}

void ask(cudaStream_t stream, Queue::Item item) {
  if (!stream || !lazy) {
    if (item.work) do_now(item.work);
    return;
  }
  stream->queue->items.push_back(std::move(item));
  ++stream->queue->asked;
}

/// Memory of the CPU that the device reaches, by address.
std::map<uintptr_t, size_t>& pinned() {
  static auto& instance = *new std::map<uintptr_t, size_t>;
  return instance;
}
bool is_pinned(const void* memory) {
  const uintptr_t at = reinterpret_cast<uintptr_t>(memory);
  const auto next = pinned().upper_bound(at);
  return next != pinned().begin() && at < std::prev(next)->first + std::prev(next)->second;
}

bool is_stream(cudaStream_t stream) { return stream == nullptr || is_living(stream); }

struct ErrorText {
  cudaError_t status;
  const char *name, *text;
};
constexpr ErrorText kErrors[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration", "invalid configuration argument"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle", "invalid resource handle"},
    {cudaErrorNotReady, "cudaErrorNotReady", "device not ready"},
    {cudaErrorIllegalState, "cudaErrorIllegalState", "the operation cannot be performed in the present state"},
    {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported",
     "operation not permitted when stream is capturing"},
    {cudaErrorStreamCaptureInvalidated, "cudaErrorStreamCaptureInvalidated",
     "operation failed due to a previous error during capture"},
    {cudaErrorStreamCaptureUnmatched, "cudaErrorStreamCaptureUnmatched",
     "the capture was not initiated in this stream"},
    {cudaErrorCapturedEvent, "cudaErrorCapturedEvent",
     "operation not permitted on an event last recorded in a capturing stream"},
};

const ErrorText& text_of(cudaError_t status) {
  for (const ErrorText& error : kErrors)
    if (error.status == status) return error;
  return kErrors[1];
}

int device_count() {
  const char* hidden = std::getenv("CUDA_VISIBLE_DEVICES");
  return hidden && (*hidden == '\0' || *hidden == '-') ? 0 : 1;
}

}  // namespace

const char* cudaGetErrorName(cudaError_t status) { return text_of(status).name; }
const char* cudaGetErrorString(cudaError_t status) { return text_of(status).text; }
cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }

cudaError_t cudaGetDeviceCount(int* count) {
  if (device_count() == 0) return fail(cudaErrorNoDevice);
  *count = 1;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) { return device == 0 ? cudaSuccess : fail(cudaErrorInvalidDevice); }

cudaError_t cudaMalloc(void** to, size_t bytes) {
  if (const cudaError_t status = unsafe_call()) return status;
  *to = plumb::emulator::take_device_memory(bytes);
  return *to || bytes == 0 ? cudaSuccess : fail(cudaErrorMemoryAllocation);
}

cudaError_t cudaFree(void* memory) {
  if (const cudaError_t status = unsafe_call()) return status;
  const std::lock_guard lock(mutex());
  run_everything();
  return !memory || plumb::emulator::give_device_memory(memory) ? cudaSuccess : fail(cudaErrorInvalidValue);
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  *total = plumb::emulator::device_bytes();
  *free = *total - plumb::emulator::device_bytes_in_use();
  return cudaSuccess;
}

cudaError_t cudaHostAlloc(void** to, size_t bytes, unsigned) {
  if (const cudaError_t status = unsafe_call()) return status;
  *to = std::malloc(bytes);
  if (!*to) return fail(cudaErrorMemoryAllocation);
  const std::lock_guard lock(mutex());
  pinned()[reinterpret_cast<uintptr_t>(*to)] = bytes;
  return cudaSuccess;
}

cudaError_t cudaFreeHost(void* memory) {
  if (const cudaError_t status = unsafe_call()) return status;
  const std::lock_guard lock(mutex());
  run_everything();
  pinned().erase(reinterpret_cast<uintptr_t>(memory));
  std::free(memory);
  return cudaSuccess;
}

void plumb::emulator::set_lazy(bool value) {
  const std::lock_guard lock(mutex());
  run_everything();
  lazy = value;
}

cudaError_t plumb::emulator::submit(cudaStream_t stream, std::function<void()> work) {
  const std::lock_guard lock(mutex());
  if (!is_stream(stream)) return fail(cudaErrorInvalidResourceHandle);
  if (Capture* capture = capture_of(stream)) {
    if (capture->spoiled) return fail(cudaErrorStreamCaptureInvalidated);
    capture->graph->nodes.push_back(std::move(work));
    return cudaSuccess;
  }
  ask(stream, {std::move(work), nullptr, 0});
  return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  return plumb::emulator::submit(stream, [=] { std::memset(to, value, bytes); });
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  // A copy within the device is not looked at: tests run kernels on memory of the CPU.
  const bool to_device = plumb::emulator::is_device_memory(to, bytes);
  const bool from_device = plumb::emulator::is_device_memory(from, bytes);
  if (bytes > 0 && kind != cudaMemcpyDeviceToDevice &&
      (to_device != (kind == cudaMemcpyHostToDevice) || from_device != (kind == cudaMemcpyDeviceToHost)))
    return fail(cudaErrorInvalidValue);
  const cudaError_t status = plumb::emulator::submit(stream, [=] { std::memmove(to, from, bytes); });
  // As in CUDA, memory that is not pinned has been read or filled when the call returns.
  const std::lock_guard lock(mutex());
  const bool waits = (from_device && !is_pinned(to)) || (to_device && !is_pinned(from));
  if (status == cudaSuccess && stream && !capture_of(stream) && kind != cudaMemcpyDeviceToDevice && waits)
    run_all(*stream->queue);
  return status;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  const std::lock_guard lock(mutex());
  living<EmulatedStream>().insert(*stream = new EmulatedStream);
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const std::lock_guard lock(mutex());
  if (living<EmulatedStream>().erase(stream) == 0) return fail(cudaErrorInvalidResourceHandle);
  if (stream->capture) stream->capture->spoiled = true;
  run_all(*stream->queue);
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const std::lock_guard lock(mutex());
  if (!is_stream(stream)) return fail(cudaErrorInvalidResourceHandle);
  if (Capture* capture = capture_of(stream)) return spoil(*capture, cudaErrorStreamCaptureUnsupported);
  if (const cudaError_t status = unsafe_call()) return status;
  if (stream)
    run_all(*stream->queue);
  else
    run_everything();
  return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  const std::lock_guard lock(mutex());
  if (!is_stream(stream) || !is_living(event)) return fail(cudaErrorInvalidResourceHandle);
  if (event->capture && stream)
    stream->capture = event->capture;  // which the stream thereby joins
  else if (event->queue)
    ask(stream, {nullptr, event->queue, event->position});
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  const std::lock_guard lock(mutex());
  living<EmulatedEvent>().insert(*event = new EmulatedEvent);
  (*event)->timed = flags != cudaEventDisableTiming;
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const std::lock_guard lock(mutex());
  if (living<EmulatedEvent>().erase(event) == 0) return fail(cudaErrorInvalidResourceHandle);
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const std::lock_guard lock(mutex());
  if (!is_stream(stream) || !is_living(event)) return fail(cudaErrorInvalidResourceHandle);
  event->capture = stream ? stream->capture : nullptr;
  event->moment = std::make_shared<Moment>();
  if (!event->capture)
    ask(stream, {[moment = event->moment] { *moment = {true, std::chrono::steady_clock::now()}; }, nullptr, 0});
  event->queue = stream ? stream->queue : nullptr;
  event->position = stream ? stream->queue->asked : 0;
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const std::lock_guard lock(mutex());
  if (!is_living(event)) return fail(cudaErrorInvalidResourceHandle);
  if (event->capture) return spoil(*event->capture, cudaErrorCapturedEvent);
  if (const cudaError_t status = unsafe_call()) return status;
  if (event->queue) run_until(*event->queue, event->position);
  return cudaSuccess;
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  const std::lock_guard lock(mutex());
  for (cudaEvent_t event : {begin, end})
    if (!is_living(event) || !event->timed || !event->moment || event->capture)
      return fail(cudaErrorInvalidResourceHandle);
  if (!begin->moment->reached || !end->moment->reached) return fail(cudaErrorNotReady);
  *milliseconds = std::chrono::duration<float, std::milli>(end->moment->time - begin->moment->time).count();
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  const std::lock_guard lock(mutex());
  if (!stream) return fail(cudaErrorStreamCaptureUnsupported);
  if (!is_living(stream)) return fail(cudaErrorInvalidResourceHandle);
  if (stream->capture) return fail(cudaErrorIllegalState);
  stream->capture = std::make_shared<Capture>();
  stream->capture->origin = stream;
  stream->capture->mode = mode;
  of_thread.push_back(stream->capture);
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  const std::lock_guard lock(mutex());
  *graph = nullptr;
  if (!is_living(stream)) return fail(cudaErrorInvalidResourceHandle);
  const std::shared_ptr<Capture> capture = stream->capture;
  if (!capture || capture->origin != stream) return fail(cudaErrorStreamCaptureUnmatched);
  std::erase(of_thread, capture);
  for (EmulatedStream* member : living<EmulatedStream>())
    if (member->capture == capture) member->capture.reset();
  for (EmulatedEvent* member : living<EmulatedEvent>())
    if (member->capture == capture) member->capture.reset(), member->moment.reset();
  if (capture->spoiled) return fail(cudaErrorStreamCaptureInvalidated);
  living<EmulatedGraph>().insert(*graph = capture->graph.release());
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  const std::lock_guard lock(mutex());
  if (!is_stream(stream)) return fail(cudaErrorInvalidResourceHandle);
  const Capture* capture = capture_of(stream);
  *status = !capture           ? cudaStreamCaptureStatusNone
            : capture->spoiled ? cudaStreamCaptureStatusInvalidated
                               : cudaStreamCaptureStatusActive;
  return cudaSuccess;
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  std::swap(*mode, thread_mode);
  return cudaSuccess;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* count) {
  const std::lock_guard lock(mutex());
  if (!is_living(graph) || nodes) return fail(cudaErrorInvalidValue);
  *count = graph->nodes.size();
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  const std::lock_guard lock(mutex());
  if (!is_living(graph)) return fail(cudaErrorInvalidValue);
  living<EmulatedGraphExec>().insert(*exec = new EmulatedGraphExec{graph->nodes});
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  const std::lock_guard lock(mutex());
  if (!is_living(exec)) return fail(cudaErrorInvalidValue);
  return plumb::emulator::submit(stream, [nodes = exec->nodes] {
    for (const std::function<void()>& node : nodes) node();
  });
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  const std::lock_guard lock(mutex());
  if (living<EmulatedGraphExec>().erase(exec) == 0) return fail(cudaErrorInvalidValue);
  delete exec;
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  const std::lock_guard lock(mutex());
  if (living<EmulatedGraph>().erase(graph) == 0) return fail(cudaErrorInvalidValue);
  delete graph;
  return cudaSuccess;
}
