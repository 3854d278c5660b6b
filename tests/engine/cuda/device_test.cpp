// The emulated device beyond kernels: its memory, streams, events and graphs; see tests/support/cuda_emulator.

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "tests/support/cuda_emulator/cuda_runtime.h"
#include "tests/support/cuda_emulator/device_memory.h"
#include "tests/support/sanitized.h"

namespace plumb {
namespace {

__global__ void add_to(int* values, int number) { values[threadIdx.x] += number; }

cudaError_t add(cudaStream_t stream, int* values, int number) {
  const cudaLaunchConfig_t config{{1}, {4}, stream};
  return cudaLaunchKernelEx(&config, add_to, values, number);
}

/// A stream and four numbers on the device.
struct Numbers {
  cudaStream_t stream = nullptr;
  int* data = nullptr;
  Numbers() {
    REQUIRE(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess);
    REQUIRE(cudaMalloc(reinterpret_cast<void**>(&data), 16) == cudaSuccess);
    write({0, 0, 0, 0});
  }
  ~Numbers() {
    CHECK(cudaFree(data) == cudaSuccess);
    CHECK(cudaStreamDestroy(stream) == cudaSuccess);
    (void)cudaGetLastError();
  }
  void write(const std::vector<int>& values) {
    REQUIRE(cudaMemcpyAsync(data, values.data(), 16, cudaMemcpyHostToDevice, stream) == cudaSuccess);
  }
  std::vector<int> read() {
    std::vector<int> values(4);
    CHECK(cudaMemcpyAsync(values.data(), data, 16, cudaMemcpyDeviceToHost, stream) == cudaSuccess);
    return values;
  }
};

/// How a process that runs `f` ends: the number of its signal, or 0.
template <class F>
int signal_of(F&& f) {
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGSEGV, SIG_DFL);
    f();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

}  // namespace

TEST_CASE("emulated device: memory is poisoned, limited, and out of reach of the CPU") {
  int* memory = nullptr;
  REQUIRE(cudaMalloc(reinterpret_cast<void**>(&memory), 3'000'000) == cudaSuccess);
  int first = 0;
  CHECK(cudaMemcpyAsync(&first, memory, 4, cudaMemcpyDeviceToHost, nullptr) == cudaSuccess);
  CHECK(first == -1);
  if (!test::kSanitized) {
    CHECK(signal_of([&] { *static_cast<volatile int*>(memory); }) == SIGSEGV);
    CHECK(signal_of([&] { std::memset(memory, 0, 4); }) == SIGSEGV);
  }
  CHECK(signal_of([] {}) == 0);
  CHECK(emulator::is_device_memory(memory + 10, 2'999'960));
  CHECK_FALSE(emulator::is_device_memory(memory + 10, 3'000'000));
  size_t free = 0, total = 0;
  CHECK(cudaMemGetInfo(&free, &total) == cudaSuccess);
  emulator::set_device_bytes(total - free + 1000);
  void* more = nullptr;
  CHECK(cudaMalloc(&more, 1001) == cudaErrorMemoryAllocation);
  CHECK(cudaMalloc(&more, 1000) == cudaSuccess);
  emulator::set_device_bytes(emulator::kDeviceBytes);
  CHECK(cudaFree(more) == cudaSuccess);
  CHECK(cudaFree(memory) == cudaSuccess);
  CHECK(cudaFree(memory) == cudaErrorInvalidValue);
  CHECK(cudaGetLastError() == cudaErrorInvalidValue);
  CHECK(cudaGetLastError() == cudaSuccess);
}

TEST_CASE("emulated device: a copy in the wrong direction and handles that do not exist are refused") {
  Numbers numbers;
  int host[4] = {};
  CHECK(cudaMemcpyAsync(host, numbers.data, 16, cudaMemcpyHostToDevice, numbers.stream) == cudaErrorInvalidValue);
  CHECK(cudaMemcpyAsync(numbers.data, host, 16, cudaMemcpyDeviceToHost, numbers.stream) == cudaErrorInvalidValue);
  CHECK(cudaMemcpyAsync(numbers.data, host, 20, cudaMemcpyHostToDevice, numbers.stream) == cudaErrorInvalidValue);
  cudaStream_t gone = nullptr;
  CHECK(cudaStreamCreateWithFlags(&gone, cudaStreamNonBlocking) == cudaSuccess);
  CHECK(cudaStreamDestroy(gone) == cudaSuccess);
  CHECK(cudaStreamDestroy(gone) == cudaErrorInvalidResourceHandle);
  CHECK(add(gone, numbers.data, 1) == cudaErrorInvalidResourceHandle);
  CHECK(cudaSetDevice(1) == cudaErrorInvalidDevice);
}

TEST_CASE("emulated device: a captured stream is a graph that runs as often as asked, on what lies there then") {
  Numbers numbers;
  REQUIRE(cudaStreamBeginCapture(numbers.stream, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  CHECK(cudaStreamIsCapturing(numbers.stream, &status) == cudaSuccess);
  CHECK(status == cudaStreamCaptureStatusActive);
  CHECK(add(numbers.stream, numbers.data, 3) == cudaSuccess);
  CHECK(add(numbers.stream, numbers.data, 4) == cudaSuccess);
  cudaGraph_t graph = nullptr;
  REQUIRE(cudaStreamEndCapture(numbers.stream, &graph) == cudaSuccess);
  CHECK(numbers.read() == std::vector<int>{0, 0, 0, 0});
  size_t nodes = 0;
  CHECK(cudaGraphGetNodes(graph, nullptr, &nodes) == cudaSuccess);
  CHECK(nodes == 2);
  cudaGraphExec_t exec = nullptr;
  REQUIRE(cudaGraphInstantiate(&exec, graph, 0) == cudaSuccess);
  CHECK(cudaGraphDestroy(graph) == cudaSuccess);
  CHECK(cudaGraphLaunch(exec, numbers.stream) == cudaSuccess);
  numbers.write({1, 2, 3, 4});
  CHECK(cudaGraphLaunch(exec, numbers.stream) == cudaSuccess);
  CHECK(cudaGraphLaunch(exec, numbers.stream) == cudaSuccess);
  CHECK(numbers.read() == std::vector<int>{15, 16, 17, 18});
  CHECK(cudaGraphExecDestroy(exec) == cudaSuccess);
  CHECK(cudaGraphLaunch(exec, numbers.stream) == cudaErrorInvalidValue);
}

TEST_CASE("emulated device: what CUDA forbids during a capture spoils it, and the stream is free again at its end") {
  Numbers numbers;
  cudaEvent_t event = nullptr;
  REQUIRE(cudaEventCreateWithFlags(&event, cudaEventDisableTiming) == cudaSuccess);
  void* memory = nullptr;
  const auto spoilt_by = [&](auto call, cudaError_t expected) {
    REQUIRE(cudaStreamBeginCapture(numbers.stream, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
    CHECK(cudaEventRecord(event, numbers.stream) == cudaSuccess);
    CHECK(call() == expected);
    CHECK(add(numbers.stream, numbers.data, 1) == cudaErrorStreamCaptureInvalidated);
    cudaGraph_t graph = nullptr;
    CHECK(cudaStreamEndCapture(numbers.stream, &graph) == cudaErrorStreamCaptureInvalidated);
    CHECK(graph == nullptr);
  };
  spoilt_by([&] { return cudaMalloc(&memory, 16); }, cudaErrorStreamCaptureUnsupported);
  spoilt_by([&] { return cudaHostAlloc(&memory, 16, cudaHostAllocDefault); }, cudaErrorStreamCaptureUnsupported);
  spoilt_by([&] { return cudaFree(numbers.data); }, cudaErrorStreamCaptureUnsupported);
  spoilt_by([&] { return cudaStreamSynchronize(numbers.stream); }, cudaErrorStreamCaptureUnsupported);
  spoilt_by([&] { return cudaStreamSynchronize(nullptr); }, cudaErrorStreamCaptureUnsupported);
  spoilt_by([&] { return cudaEventSynchronize(event); }, cudaErrorCapturedEvent);
  CHECK(add(numbers.stream, numbers.data, 1) == cudaSuccess);
  CHECK(numbers.read() == std::vector<int>{1, 1, 1, 1});
  cudaGraph_t graph = nullptr;
  CHECK(cudaStreamEndCapture(numbers.stream, &graph) == cudaErrorStreamCaptureUnmatched);
  // In relaxed mode memory may be taken.
  REQUIRE(cudaStreamBeginCapture(numbers.stream, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
  cudaStreamCaptureMode mode = cudaStreamCaptureModeRelaxed;
  CHECK(cudaThreadExchangeStreamCaptureMode(&mode) == cudaSuccess);
  CHECK(cudaMalloc(&memory, 16) == cudaSuccess);
  CHECK(cudaThreadExchangeStreamCaptureMode(&mode) == cudaSuccess);
  CHECK(mode == cudaStreamCaptureModeRelaxed);
  REQUIRE(cudaStreamEndCapture(numbers.stream, &graph) == cudaSuccess);
  CHECK(cudaGraphDestroy(graph) == cudaSuccess);
  CHECK(cudaFree(memory) == cudaSuccess);
  CHECK(cudaEventDestroy(event) == cudaSuccess);
}

TEST_CASE(
    "emulated device: lazily, nothing is done before somebody waits, and then in the order of streams and events") {
  emulator::set_lazy(true);
  {
    Numbers first, second;
    int* pinned = nullptr;
    REQUIRE(cudaHostAlloc(reinterpret_cast<void**>(&pinned), 16, cudaHostAllocDefault) == cudaSuccess);
    std::memset(pinned, 0, 16);
    cudaEvent_t event = nullptr;
    REQUIRE(cudaEventCreateWithFlags(&event, cudaEventDefault) == cudaSuccess);
    CHECK(add(first.stream, first.data, 3) == cudaSuccess);
    CHECK(cudaEventRecord(event, first.stream) == cudaSuccess);
    CHECK(add(first.stream, first.data, 10) == cudaSuccess);
    CHECK(cudaStreamWaitEvent(second.stream, event, 0) == cudaSuccess);
    CHECK(cudaMemcpyAsync(pinned, first.data, 16, cudaMemcpyDeviceToHost, second.stream) == cudaSuccess);
    float milliseconds = 0;
    CHECK(cudaEventElapsedTime(&milliseconds, event, event) == cudaErrorNotReady);
    CHECK(pinned[0] == 0);
    CHECK(cudaStreamSynchronize(second.stream) == cudaSuccess);
    CHECK(pinned[0] == 3);  // the first stream went as far as the event
    CHECK(cudaEventElapsedTime(&milliseconds, event, event) == cudaSuccess);
    CHECK(first.read() == std::vector<int>{13, 13, 13, 13});
    // Written over before the copy out of it was made.
    std::fill(pinned, pinned + 4, 1);
    CHECK(cudaMemcpyAsync(first.data, pinned, 16, cudaMemcpyHostToDevice, first.stream) == cudaSuccess);
    std::fill(pinned, pinned + 4, 2);
    CHECK(first.read() == std::vector<int>{2, 2, 2, 2});
    CHECK(cudaEventDestroy(event) == cudaSuccess);
    CHECK(cudaFreeHost(pinned) == cudaSuccess);
  }
  emulator::set_lazy(std::getenv("PLUMB_EMULATOR_LAZY") != nullptr);
}

}  // namespace plumb
