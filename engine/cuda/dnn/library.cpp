// Loaded, not linked, so that a program starts on a machine without cuDNN and pays for it only where it is used
// (engine/cuda/product.cpp does the same with cuBLASLt).

#include "engine/cuda/dnn/library.h"

#include <dlfcn.h>

#include <algorithm>

#include "engine/require.h"

namespace plumb::dnn {
namespace {

template <class F>
void load(void* handle, F& function, const char* name) {
  function = reinterpret_cast<F>(dlsym(handle, name));
  require<DeviceError>(function != nullptr, "cuda: cuDNN lacks {}", name);
}

Library* load_library() {
  const std::string name = "libcudnn.so." + std::to_string(CUDNN_MAJOR);
  void* handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  require<DeviceError>(handle != nullptr, "cuda: cannot load cuDNN ({})", handle ? "" : dlerror());
  Library loaded{};
  load(handle, loaded.version, "cudnnGetVersion");
  load(handle, loaded.status_name, "cudnnGetErrorString");
  load(handle, loaded.last_error, "cudnnGetLastErrorString");
  load(handle, loaded.create_handle, "cudnnCreate");
  load(handle, loaded.set_stream, "cudnnSetStream");
  load(handle, loaded.create, "cudnnBackendCreateDescriptor");
  load(handle, loaded.destroy, "cudnnBackendDestroyDescriptor");
  load(handle, loaded.set, "cudnnBackendSetAttribute");
  load(handle, loaded.get, "cudnnBackendGetAttribute");
  load(handle, loaded.finalize, "cudnnBackendFinalize");
  load(handle, loaded.execute, "cudnnBackendExecute");
  return new Library(loaded);
}

}  // namespace

const Library& library() {
  static const Library& loaded = *load_library();
  return loaded;
}

std::string last_problem(cudnnStatus_t status) {
  char words[512] = "";
  library().last_error(words, sizeof words);
  std::string line = std::string(library().status_name(status)) + ": " + words;
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

}  // namespace plumb::dnn
