#pragma once

#include <string>

#include "apps/train/settings.h"
#include "engine/tensor.h"

namespace plumb::train {

/// Points with optional class labels.
struct PointData {
  Tensor points;  ///< f32 [N, D]
  Tensor labels;  ///< i64 [N]; undefined when unconditional
  int64_t classes = 0;

  /// Both moved to a device.
  PointData to(Device device) const {
    return {points.to(device), labels.defined() ? labels.to(device) : labels, classes};
  }
};

/// The data a run asks for: a file, or draws from the world. Throws UsageError or IoError naming what is wrong.
PointData load_data(const Settings& settings);

/// SHA-256 of shapes, points and labels: the same data under another path are the same data.
std::string hash_of(const PointData& data);

}  // namespace plumb::train
