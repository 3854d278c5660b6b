#pragma once

#include <string>

#include "engine/cuda/dnn/descriptor.h"

// Internal to engine/cuda/dnn.

namespace plumb::dnn {

/// The device that is planned for: a real one by its handle, or one described in words, with which plans can be made
/// on a machine without it (cuDNN's ahead-of-time compilation).
struct Target {
  cudnnHandle_t handle = nullptr;
  Descriptor properties;
  std::string name;
};

Target target_of(cudnnHandle_t handle, std::string device_name);
/// properties: cuDNN's JSON of a device. Throws DeviceError when cuDNN does not take it.
Target described_target(const std::string& properties, std::string device_name);

}  // namespace plumb::dnn
