#pragma once

#include <cudnn_graph.h>

#include <string>

// Internal to engine/cuda/dnn.

namespace plumb::dnn {

/// The functions of cuDNN used, from the library that the program's rpath or LD_LIBRARY_PATH leads to.
struct Library {
  decltype(&cudnnGetVersion) version;
  decltype(&cudnnGetErrorString) status_name;
  decltype(&cudnnGetLastErrorString) last_error;
  decltype(&cudnnCreate) create_handle;
  decltype(&cudnnSetStream) set_stream;
  decltype(&cudnnBackendCreateDescriptor) create;
  decltype(&cudnnBackendDestroyDescriptor) destroy;
  decltype(&cudnnBackendSetAttribute) set;
  decltype(&cudnnBackendGetAttribute) get;
  decltype(&cudnnBackendFinalize) finalize;
  decltype(&cudnnBackendExecute) execute;
};

/// Loaded by the first call and never unloaded. Throws DeviceError when it cannot be.
const Library& library();

/// cuDNN's words for what went wrong last on this thread, one line.
std::string last_problem(cudnnStatus_t status);

}  // namespace plumb::dnn
