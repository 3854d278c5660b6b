#include "align/step_statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "nn/read_together.h"

namespace plumb {
namespace {

/// Means of the wanted and of the unwanted among samples judged one by one; empty where there are none.
struct LabelledMeans {
  double wanted = 0;
  std::optional<double> unwanted = {};
};

LabelledMeans labelled_means(const std::vector<double>& values, const std::vector<double>& labels) {
  double sums[2] = {0, 0}, counts[2] = {0, 0};
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t side = labels[i] > 0 ? 0 : 1;
    sums[side] += values[i], counts[side] += 1;
  }
  LabelledMeans means{.wanted = counts[0] > 0 ? sums[0] / counts[0] : 0};
  if (counts[1] > 0) means.unwanted = sums[1] / counts[1];
  return means;
}

double mean_of(const std::vector<double>& values, size_t begin, size_t end) {
  return std::accumulate(values.begin() + std::ptrdiff_t(begin), values.begin() + std::ptrdiff_t(end), 0.0) /
         double(end - begin);
}

constexpr double kSaturation = 10;

}  // namespace

StepStatistics step_statistics(const ObjectiveOutput& output, const Tensor& grad_norm) {
  auto numbers = read_together({output.loss.value(), output.error, output.ref_error, output.labels, output.offset,
                                output.weight, output.implicit_accuracy, output.logit, grad_norm});
  enum { kLoss, kError, kRefError, kLabels, kOffset, kWeight, kAccuracy, kLogit, kGradNorm };
  StepStatistics s;
  s.loss = numbers[kLoss].front();
  const std::vector<double>&error = numbers[kError], &ref = numbers[kRefError], &labels = numbers[kLabels];
  const bool pairs = output.logit.defined() && output.logit.numel() * 2 == int64_t(error.size());
  const size_t winners = pairs ? error.size() / 2 : error.size();
  s.error_w = mean_of(error, 0, winners);
  if (pairs) s.error_l = mean_of(error, winners, error.size());
  if (output.ref_error.defined()) {
    s.ref_error_w = mean_of(ref, 0, winners);
    if (pairs) s.ref_error_l = mean_of(ref, winners, ref.size());
  }
  if (s.error_l && s.ref_error_l) s.margin = (s.error_w - *s.error_l) - (*s.ref_error_w - *s.ref_error_l);
  if (output.labels.defined()) {
    const LabelledMeans student = labelled_means(error, labels);
    const LabelledMeans reference = labelled_means(ref, labels);
    s.error_w = student.wanted, s.error_l = student.unwanted;
    s.ref_error_w = reference.wanted, s.ref_error_l = reference.unwanted;
  }
  if (output.offset.defined()) s.offset = numbers[kOffset].front();
  if (output.weight.defined()) s.mean_weight = numbers[kWeight].front();
  if (output.implicit_accuracy.defined()) s.implicit_accuracy = numbers[kAccuracy].front();
  if (grad_norm.defined()) s.grad_norm = numbers[kGradNorm].front();
  if (output.logit.defined()) {
    std::vector<double>& z = numbers[kLogit];
    for (double& value : z) value = std::abs(value);
    s.saturated =
        double(std::count_if(z.begin(), z.end(), [](double v) { return v > kSaturation; })) / double(z.size());
    std::nth_element(z.begin(), z.begin() + std::ptrdiff_t(z.size() / 2), z.end());
    s.logit_abs_median = z[z.size() / 2];
  }
  return s;
}

}  // namespace plumb
