#include "engine/cuda/dnn/execute.h"

#include <cuda_runtime_api.h>

#include <cmath>
#include <map>
#include <vector>

#include "engine/cuda/check.cuh"
#include "engine/cuda/memory.h"
#include "engine/cuda/stream.h"

namespace plumb::dnn {
namespace {

void check(const char* op, cudnnStatus_t status) {
  if (status != CUDNN_STATUS_SUCCESS)
    raise_cuda(op, library().status_name(status), ("cuDNN refused, " + last_problem(status)).c_str());
}

std::string device_name(const char* op, int device) {
  cudaDeviceProp properties{};
  check_cuda(op, cudaGetDeviceProperties(&properties, device));
  return properties.name;
}

/// Memory of the device's allocator while it lives; later work of the stream may reuse it.
class Workspace {
 public:
  Workspace(int64_t bytes, const Cuda& cuda)
      : block_(bytes > 0 ? allocate_cuda(size_t(bytes), {DeviceType::cuda, int8_t(cuda.device)}) : nullptr) {}
  ~Workspace() {
    if (block_) free_cuda(block_);
  }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  void* data() const { return block_ ? block_->data : nullptr; }

 private:
  CudaBlock* block_;
};

}  // namespace

Session& session_of(const char* op, const Cuda& cuda) {
  // Never destroyed: the driver may be gone before static destructors run.
  static auto& sessions = *new std::map<int, Session*>;
  Session*& session = sessions[cuda.device];
  if (!session) {
    cudnnHandle_t handle = nullptr;
    check(op, library().create_handle(&handle));
    session = new Session{target_of(handle, device_name(op, cuda.device))};
  }
  if (session->stream != cuda.stream) {
    check(op, library().set_stream(session->target.handle, static_cast<cudaStream_t>(cuda.stream)));
    session->stream = cuda.stream;
  }
  return *session;
}

void execute(const char* op, const Cuda& cuda, const Plan& plan, std::span<const Address> addresses) {
  std::vector<int64_t> ids;
  std::vector<const void*> pointers;
  for (const Address& each : addresses) {
    ids.push_back(int64_t(each.role));
    pointers.push_back(each.data);
  }
  const Workspace workspace(plan.workspace, cuda);
  void* const memory = workspace.data();
  Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, ids.data(), int64_t(ids.size()))
      .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, pointers.data(), int64_t(pointers.size()))
      .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, &memory)
      .finalize();
  check(op, pack.status());
  check(op, library().execute(session_of(op, cuda).target.handle, plan.descriptor.raw(), pack.raw()));
}

size_t fastest(const char* op, const Cuda& cuda, std::span<const Plan> plans, std::span<const Address> addresses) {
  const Device device{DeviceType::cuda, int8_t(cuda.device)};
  CudaEvent begin(device, true), end(device, true);
  size_t best = 0;
  float least = HUGE_VALF;
  for (size_t i = 0; i < plans.size(); ++i) {
    execute(op, cuda, plans[i], addresses);  // loads its code
    for (int round = 0; round < 3; ++round) {
      begin.record();
      execute(op, cuda, plans[i], addresses);
      end.record();
      end.wait();
      const float time = begin.elapsed_ms(end);
      if (time < least) {
        least = time;
        best = i;
      }
    }
  }
  return best;
}

bool is_recording(const Cuda& cuda) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  (void)cudaStreamIsCapturing(static_cast<cudaStream_t>(cuda.stream), &status);
  return status != cudaStreamCaptureStatusNone;
}

}  // namespace plumb::dnn
