#include "tests/gpu/accuracy.h"

#include <cmath>
#include <limits>

#include "apps/op/op_table.h"
#include "apps/op/run_case.h"
#include "engine/cuda/memory.h"
#include "tests/support/numeric.h"

namespace plumb::test {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TensorMap in_double(const TensorMap& tensors) {
  TensorMap wide;
  for (const auto& [name, tensor] : tensors) wide[name] = is_floating(tensor.dtype()) ? tensor.to(DType::f64) : tensor;
  return wide;
}

/// NaN belongs where the CPU has it too (the variance of one element): a zero on both sides.
double error_beside(const Tensor& got, const Tensor& expected) {
  if (got.shape() != expected.shape()) return kInfinity;
  std::vector<double> a = got.to_vector<double>(), b = expected.to_vector<double>();
  for (size_t i = 0; i < a.size(); ++i)
    if (std::isnan(a[i]) && std::isnan(b[i])) a[i] = b[i] = 0;
  return norm_error(a, b);
}

}  // namespace

double device_error(const OpCase& item, const TensorMap& inputs, Device device, std::string& worst) {
  const Json attributes = item.attributes.empty() ? Json::object() : Json::parse(item.attributes);
  const OpEntry& op = find_op(item.op);
  const bool with_grad = inputs.contains("g0");
  TensorMap reference = in_double(inputs);
  if (with_grad)  // of the result's type, which an op like cast fixes
    reference["g0"] = inputs.at("g0").to(run_op_case(op, &attributes, false, reference).at("out0").dtype());
  const TensorMap expected = run_op_case(op, &attributes, with_grad, reference);
  set_cuda_poison(true);
  const TensorMap got = run_op_case(op, &attributes, with_grad, inputs, device);
  set_cuda_poison(false);
  double most = 0;
  for (const auto& [name, tensor] : expected) {
    const double error = error_beside(got.at(name), tensor);
    if (error < most) continue;
    most = error;
    worst = name;
  }
  return got.size() == expected.size() ? most : kInfinity;
}

}  // namespace plumb::test
