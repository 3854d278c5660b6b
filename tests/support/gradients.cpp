#include "tests/support/gradients.h"

#include <cmath>
#include <limits>

#include "autograd/backward.h"
#include "autograd/grad_mode.h"
#include "tests/support/numeric.h"

namespace plumb::test {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

int64_t offset_of(const Tensor& x, int64_t index) {
  int64_t offset = 0;
  for (int64_t d = x.rank() - 1; d >= 0; --d) {
    offset += index % x.shape()[d] * x.strides()[d];
    index /= x.shape()[d];
  }
  return offset;
}

double weighted_sum(const Tensor& y, const std::vector<double>& weights) {
  const std::vector<double> values = y.to_vector<double>();
  double total = 0;
  for (size_t i = 0; i < values.size(); ++i) total += values[i] * weights[i];
  return total;
}

}  // namespace

double worst_gradient_error(const std::function<Variable(const std::vector<Variable>&)>& function,
                            const std::vector<Tensor>& inputs) {
  std::vector<Variable> leaves;
  for (const Tensor& input : inputs) leaves.push_back(Variable::leaf(input));
  const Variable y = function(leaves);
  const Tensor upstream = random_tensor(y.shape(), 99);
  const std::vector<double> weights = upstream.to_vector<double>();
  backward(y, {.grad = upstream});

  NoGrad no_grad;
  double worst = 0;
  for (const Variable& leaf : leaves) {
    Tensor x = leaf.value();
    if (!leaf.grad().defined()) return kInfinity;
    const std::vector<double> analytic = leaf.grad().to_vector<double>();
    for (int64_t i = 0; i < x.numel(); ++i) {
      double& element = x.mutable_data<double>()[offset_of(x, i)];
      const double middle = element, step = 1e-5;
      element = middle + step;
      const double above = weighted_sum(function(leaves).value(), weights);
      element = middle - step;
      const double below = weighted_sum(function(leaves).value(), weights);
      element = middle;
      const double numeric = (above - below) / (2 * step);
      // Here a NaN is never right, on either side.
      worst = std::max(worst, std::isnan(numeric) ? kInfinity : relative_error(analytic[size_t(i)], numeric));
    }
  }
  return worst;
}

}  // namespace plumb::test
