#include "engine/cuda/graph.h"

#include "engine/backend.h"
#include "engine/cuda/capture.h"
#include "engine/cuda/check.cuh"
#include "engine/cuda/fault.h"
#include "engine/cuda/memory.h"
#include "engine/cuda/stream.h"
#include "engine/cuda/transfer.h"
#include "engine/require.h"

namespace plumb {

struct CudaGraph::State {
  Device device;
  MemoryPool* pool = nullptr;
  cudaGraphExec_t exec = nullptr;
  int64_t nodes = 0;

  explicit State(Device on) : device(on) {}
  ~State() {
    try {
      release();
    } catch (const Error&) {  // at the end of the program the driver may be gone, and the memory with it
    }
  }
  void release() {
    if (exec) {
      (void)cudaStreamSynchronize(static_cast<cudaStream_t>(cuda_context(device).stream));
      (void)cudaGraphExecDestroy(exec);
    }
    if (pool) cuda_allocator(device).retire_pool(pool);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

namespace {

/// A capture under way; ended, and dropped, however its scope is left.
class Recording {
 public:
  explicit Recording(const CudaStream& stream) : stream_(static_cast<cudaStream_t>(stream.handle())), current_(stream) {
    check_cuda("CudaGraph", cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal));
  }
  ~Recording() {
    if (!ended_) (void)cudaStreamEndCapture(stream_, &graph_);
    if (graph_) (void)cudaGraphDestroy(graph_);
    (void)cudaGetLastError();
  }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  cudaGraph_t end() {
    ended_ = true;
    check_cuda("CudaGraph", cudaStreamEndCapture(stream_, &graph_));
    return graph_;
  }

 private:
  cudaStream_t stream_;
  CudaStreamScope current_;
  CaptureScope capturing_;
  cudaGraph_t graph_ = nullptr;
  bool ended_ = false;
};

/// The pool serves a stream's requests while one lives.
class OpenPool {
 public:
  OpenPool(CachingAllocator& allocator, MemoryPool* pool, void* stream) : allocator_(allocator) {
    allocator.open_pool(pool, stream);
  }
  ~OpenPool() { allocator_.close_pool(); }
  OpenPool(const OpenPool&) = delete;
  OpenPool& operator=(const OpenPool&) = delete;

 private:
  CachingAllocator& allocator_;
};

}  // namespace

CudaGraph::CudaGraph() = default;
CudaGraph::~CudaGraph() = default;

void CudaGraph::capture(Device device, const std::function<void()>& f) {
  refuse_in_capture("CudaGraph", "begin another capture");
  state_.reset();
  // What must not happen for the first time inside: the record of faults, and memory only the cache still holds.
  (void)index_fault(device);
  synchronize(device);
  CachingAllocator& allocator = cuda_allocator(device);
  allocator.release_cached();

  auto state = std::make_unique<State>(device);
  state->pool = allocator.make_pool();
  const CudaStream stream(device);
  {
    const OpenPool open(allocator, state->pool, stream.handle());
    Recording recording(stream);
    f();
    const cudaGraph_t graph = recording.end();
    size_t nodes = 0;
    check_cuda("CudaGraph", cudaGraphGetNodes(graph, nullptr, &nodes));
    state->nodes = int64_t(nodes);
    check_cuda("CudaGraph", cudaGraphInstantiate(&state->exec, graph, 0));
  }
  state_ = std::move(state);
}

void CudaGraph::replay() {
  require<Error>(is_captured(), "CudaGraph: replay needs a capture first");
  check_cuda("CudaGraph",
             cudaGraphLaunch(state_->exec, static_cast<cudaStream_t>(cuda_context(state_->device).stream)));
}

int64_t CudaGraph::nodes() const { return state_ ? state_->nodes : 0; }
int64_t CudaGraph::pool_bytes() const { return state_ ? cuda_allocator(state_->device).pool_bytes(state_->pool) : 0; }

}  // namespace plumb
