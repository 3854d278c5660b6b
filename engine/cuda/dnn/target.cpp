#include "engine/cuda/dnn/target.h"

#include "engine/require.h"

namespace plumb::dnn {

Target target_of(cudnnHandle_t handle, std::string device_name) { return {handle, {}, std::move(device_name)}; }

Target described_target(const std::string& properties, std::string device_name) {
  Target target{nullptr, Descriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR), std::move(device_name)};
  target.properties
      .set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, properties.c_str(),
           int64_t(properties.size()) + 1)
      .finalize();
  require<DeviceError>(target.properties.is_good(), "cuda: cuDNN refuses the description of {} ({})", target.name,
                       last_problem(target.properties.status()));
  return target;
}

}  // namespace plumb::dnn
