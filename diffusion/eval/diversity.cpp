#include "diffusion/eval/diversity.h"

#include <cmath>
#include <map>

#include "diffusion/eval/feature_set.h"
#include "engine/format.h"
#include "engine/ops.h"
#include "engine/require.h"
#include "nn/metrics/symmetric_eigen.h"

namespace plumb {
namespace {

Tensor unit_rows(const char* what, const Tensor& x) {
  check_features(what, x);
  const Tensor wide = x.to(DType::f64), length = sqrt(sum(wide * wide, {1}, true));
  require<NumericError>(all(gt(length, 0.0), {}, false).item<bool>(), "{}: a picture's features are all zero; {}", what,
                        x);
  return wide / length;
}

}  // namespace

double vendi_score(const Tensor& x) {
  const Tensor unit = unit_rows("vendi_score", x), turned = transpose(unit, 0, 1);
  // X X^T and X^T X have the same eigenvalues but for zeros.
  const Tensor kernel = (x.size(0) < x.size(1) ? matmul(unit, turned) : matmul(turned, unit)) * (1 / double(x.size(0)));
  double entropy = 0;
  for (double value : symmetric_eigen(kernel, false).values)
    if (value > 0) entropy -= value * std::log(value);
  return std::exp(entropy);
}

std::optional<double> group_diversity(const Tensor& x, const std::vector<int64_t>& group) {
  const Tensor unit = unit_rows("group_diversity", x);
  require<ShapeError>(int64_t(group.size()) == x.size(0), "group_diversity: there must be a group a row; {} for {}",
                      group.size(), x);
  std::map<int64_t, std::vector<int64_t>> members;
  for (size_t i = 0; i < group.size(); ++i) members[group[i]].push_back(int64_t(i));
  double total = 0;
  int64_t groups = 0;
  for (const auto& [name, rows] : members) {
    const double count = double(rows.size());
    if (rows.size() < 2) continue;
    // The sum over ordered pairs of different rows is |sum of rows|^2 - count.
    const Tensor together = sum(index_select(unit, 0, from_vector(rows, {int64_t(rows.size())})), {0}, false);
    total += 1 - (sum(together * together).item() - count) / (count * (count - 1));
    ++groups;
  }
  if (groups == 0) return std::nullopt;
  return total / double(groups);
}

}  // namespace plumb
