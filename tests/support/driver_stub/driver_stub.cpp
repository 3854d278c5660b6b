// As much of NVIDIA's driver library as cuDNN wants to see before it plans for a device that is described in words
// (engine/cuda/dnn/target.h): built as libcuda.so.1, found through LD_LIBRARY_PATH. It has no devices. Loading compiled
// code "succeeds" and launches nothing, so a plan that is built is one cuDNN has code for; that it runs is not shown.

#include <dlfcn.h>

#include <cstddef>

// The driver's own names, of which cuDNN needs the addresses only.
// NOLINTBEGIN(readability-identifier-naming)
extern "C" {

int cuInit(unsigned) { return 100; }  // CUDA_ERROR_NO_DEVICE
int cuDeviceGetCount(int* count) {
  *count = 0;
  return 0;
}
int cuDriverGetVersion(int* version) {
  *version = 13000;
  return 0;
}

// Handles that are not null; nobody looks behind them.
int cuLibraryLoadData(void** library) {
  *library = reinterpret_cast<void*>(0x10);
  return 0;
}
int cuLibraryGetKernel(void** kernel) {
  *kernel = reinterpret_cast<void*>(0x20);
  return 0;
}
int cuKernelGetFunction(void** function) {
  *function = reinterpret_cast<void*>(0x30);
  return 0;
}
int cuModuleLoadData(void** module) {
  *module = reinterpret_cast<void*>(0x40);
  return 0;
}
int cuModuleGetFunction(void** function) {
  *function = reinterpret_cast<void*>(0x30);
  return 0;
}
int cuLibraryGetGlobal(void** address, size_t* bytes) {
  if (address) *address = reinterpret_cast<void*>(0x1000);
  if (bytes) *bytes = 64;
  return 0;
}
int cuKernelGetAttribute(int* value) {
  *value = 0;
  return 0;
}
int cuFuncGetAttribute(int* value) {
  *value = 0;
  return 0;
}

// Succeed and do nothing.
int cuCtxGetCurrent() { return 0; }
int cuCtxGetLimit() { return 0; }
int cuCtxPopCurrent() { return 0; }
int cuCtxPushCurrent() { return 0; }
int cuDeviceGet() { return 0; }
int cuFuncSetAttribute() { return 0; }
int cuGetErrorName() { return 0; }
int cuGetErrorString() { return 0; }
int cuKernelSetAttribute() { return 0; }
int cuLaunchCooperativeKernel() { return 0; }
int cuLaunchKernel() { return 0; }
int cuLaunchKernelEx() { return 0; }
int cuLibraryLoadFromFile() { return 0; }
int cuLibraryUnload() { return 0; }
int cuLinkAddData() { return 0; }
int cuLinkComplete() { return 0; }
int cuLinkCreate() { return 0; }
int cuLinkDestroy() { return 0; }
int cuModuleUnload() { return 0; }
int cuOccupancyMaxPotentialClusterSize() { return 0; }
int cuStreamGetCtx() { return 0; }

int cuGetProcAddress_v2(const char* name, void** address, int, unsigned long, int* status) {
  void* self = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
  *address = self ? dlsym(self, name) : nullptr;
  if (!*address) *address = reinterpret_cast<void*>(&cuLaunchKernel);
  if (status) *status = 0;
  return 0;
}
int cuGetProcAddress(const char* name, void** address, int version, unsigned long flags) {
  return cuGetProcAddress_v2(name, address, version, flags, nullptr);
}

}  // extern "C"
// NOLINTEND(readability-identifier-naming)
