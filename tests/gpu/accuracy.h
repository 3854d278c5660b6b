#pragma once

#include "apps/gradcheck/op_cases.h"
#include "engine/io/safetensors.h"

namespace plumb::test {

inline constexpr Device kCuda{DeviceType::cuda, 0};

/// A case of an op on `device`, in `inputs`' types, against the CPU in f64 on the same values. CUDA memory that the op
/// is given is filled with NaN first, so that an element nobody writes shows. Returns the worst norm_error (numeric.h)
/// of its outputs and gradients, and which one in `worst`.
double device_error(const OpCase& item, const TensorMap& inputs, Device device, std::string& worst);

}  // namespace plumb::test
