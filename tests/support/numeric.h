#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/tensor.h"

// Shared by the tests of ops: inputs that repeat, memory layouts, comparisons that fail on NaN.

namespace plumb::test {

/// Values in (-2, 2), the same for the same seed; no two equal in practice.
Tensor random_tensor(const Shape& shape, uint64_t seed = 1, DType dtype = DType::f64);

/// The same values with the memory order of the dimensions reversed, starting at an offset.
Tensor reversed_memory(const Tensor& x);
/// The same values, [N, C, H, W], with the channels innermost in memory.
Tensor channels_last(const Tensor& x);
/// The same values with every other element of a larger storage.
Tensor with_gaps(const Tensor& x);

/// Largest |actual - expected| / (1 + |expected|); equal infinities and NaN beside NaN count as 0, any other NaN or a
/// different count as infinity.
double worst_error(const Tensor& actual, const std::vector<double>& expected);

/// One term of it.
double relative_error(double actual, double expected);

/// |got - expected| / |expected|, 2-norms over all elements (over 1 where `expected` is all zeros); equal infinities
/// count as 0. Infinity for any other infinity, for NaN wherever it is, and for another shape.
double norm_error(const Tensor& got, const Tensor& expected);
double norm_error(const std::vector<double>& got, const std::vector<double>& expected);

/// Bytes of a tensor's elements in row-major order: for "same bits".
std::string bits_of(const Tensor& x);

/// What `call` throws; "" when it does not throw.
std::string message_of(const std::function<void()>& call);

}  // namespace plumb::test
