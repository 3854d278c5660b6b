#pragma once

#include "apps/gradcheck/op_cases.h"
#include "engine/io/safetensors.h"

namespace plumb::test {

inline constexpr Device kCuda{DeviceType::cuda, 0};

/// |got - expected| / |expected| over all elements (2-norms; divided by 1 where `expected` is all zeros). Infinity when
/// a value is not finite in one alone, or the shapes differ.
double norm_error(const Tensor& got, const Tensor& expected);

/// A case of an op on `device`, in `inputs`' types, against the CPU in f64 on the same values. CUDA memory that the op
/// is given is filled with NaN first, so that an element nobody writes shows. Returns the worst norm_error of its
/// outputs and gradients, and which one in `worst`.
double device_error(const OpCase& item, const TensorMap& inputs, Device device, std::string& worst);

}  // namespace plumb::test
