#include <algorithm>
#include <array>
#include <cmath>

#include "apps/gradcheck/op_cases.h"
#include "engine/ops/random/random.h"
#include "engine/random/fills.h"

namespace plumb {
namespace {

/// u is uniform on [0, 1).
double place(Values values, double u) {
  switch (values) {
    case Values::positive:
      return 0.3 + 2 * u;
    case Values::nonzero:
      return u < 0.5 ? -0.4 - 3.2 * u : 0.4 + 3.2 * (u - 0.5);
    case Values::small:
      return -0.8 + 1.6 * u;
    case Values::off_grid: {
      const double cell = std::floor(10 * u);  // ten cells of width 1/2, the outer tenth of each left out
      return -2.5 + 0.5 * cell + 0.05 + 0.4 * (10 * u - cell);
    }
    case Values::on_grid:
      return -2 + 0.5 * std::floor(9 * u);
    default:
      return -2 + 4 * u;
  }
}

}  // namespace

Tensor make_input(const InputSpec& spec, const RandomKey& key) {
  if (spec.values == Values::index) return randint(key, 0, spec.limit, spec.shape);
  Tensor x = rand(key, spec.shape, DType::f64);
  double* data = x.mutable_data<double>();
  if (spec.values == Values::distinct) {
    const std::vector<int64_t> order = permutation(key, x.numel());
    for (int64_t i = 0; i < x.numel(); ++i) data[i] = 0.1 * double(order[size_t(i)] - x.numel() / 2) + 0.03;
    return x;
  }
  if (spec.values == Values::mask) {
    Tensor mask = empty(spec.shape, DType::boolean);
    for (int64_t i = 0; i < x.numel(); ++i) mask.mutable_data<bool>()[i] = data[i] < 0.5;
    return mask;
  }
  for (int64_t i = 0; i < x.numel(); ++i) data[i] = place(spec.values, data[i]);
  return x;
}

std::vector<OpCase> cases_of(std::string_view op) {
  static const std::vector<OpCase> all = [] {
    std::vector<OpCase> list;
    for (auto family : {elementwise_cases, reduce_cases, tensor_cases})
      for (OpCase& item : family()) list.push_back(std::move(item));
    return list;
  }();
  std::vector<OpCase> found;
  std::copy_if(all.begin(), all.end(), std::back_inserter(found), [&](const OpCase& item) { return item.op == op; });
  return found;
}

bool has_no_gradient(std::string_view op) {
  constexpr std::array kNames = {"all",        "any",      "argmax", "argmin", "eq",          "ge",
                                 "gt",         "le",       "lt",     "ne",     "logical_and", "logical_not",
                                 "logical_or", "isfinite", "isnan",  "isinf"};
  return std::find(kNames.begin(), kNames.end(), op) != kNames.end();
}

}  // namespace plumb
