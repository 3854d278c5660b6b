#include "engine/cuda/fault.h"

#include <map>
#include <mutex>
#include <new>

#include "engine/backend.h"
#include "engine/cuda/check.cuh"

namespace plumb {

IndexFault* index_fault(Device device) {
  (void)cuda_context(device);
  static std::mutex& mutex = *new std::mutex;
  static auto& faults = *new std::map<int, IndexFault*>;  // never freed: the driver may be gone at exit
  const std::lock_guard lock(mutex);
  IndexFault*& fault = faults[device.index];
  if (!fault) {
    void* memory = nullptr;
    check_cuda("index_fault", cudaHostAlloc(&memory, sizeof(IndexFault), cudaHostAllocDefault));
    fault = new (memory) IndexFault;
  }
  return fault;
}

}  // namespace plumb
