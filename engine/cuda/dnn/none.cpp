// cuDNN of a CUDA build whose toolkit has no headers of it.

#include "engine/cuda/dnn/dnn.h"
#include "engine/require.h"

namespace plumb {
namespace {

[[noreturn]] void refuse(const char* op) {
  raise<DeviceError>("{}: needs cuDNN on CUDA, and this build found no cudnn.h in the CUDA toolkit", op);
}

}  // namespace

bool dnn_convolution(const char* op, const Cuda&, const DnnConvolution&, const DnnConvolutionData&) { refuse(op); }
bool dnn_attention(const char*, const Cuda&, const DnnAttention&, const DnnAttentionData&) { return false; }

}  // namespace plumb
