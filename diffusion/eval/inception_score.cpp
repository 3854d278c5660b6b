#include "diffusion/eval/inception_score.h"

#include <cmath>
#include <vector>

#include "diffusion/eval/feature_set.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

double score_of(const Tensor& logits) {
  const Tensor log_p = logits - logsumexp(logits, {1}, true), p = exp(log_p);
  // A class that no picture can have has p = 0: 0 log 0 counts as 0.
  const Tensor marginal = mean(p, {0}, true);
  const Tensor terms = where(gt(p, 0.0), p * (log_p - log(marginal)), zeros_like(p));
  return std::exp(sum(terms).item() / double(logits.size(0)));
}

}  // namespace

InceptionScore inception_score(const Tensor& logits, int64_t splits) {
  check_features("inception_score", logits);
  const int64_t rows = logits.size(0);
  require<ValueError>(splits >= 1 && splits <= rows, "inception_score: splits must be between 1 and {} ({})", rows,
                      splits);
  const Tensor wide = logits.to(DType::f64);
  std::vector<double> scores;
  for (int64_t s = 0; s < splits; ++s)
    scores.push_back(score_of(slice(wide, 0, s * rows / splits, (s + 1) * rows / splits)));
  InceptionScore result{0, 0};
  for (double score : scores) result.mean += score / double(splits);
  for (double score : scores) result.deviation += (score - result.mean) * (score - result.mean) / double(splits);
  result.deviation = std::sqrt(result.deviation);
  return result;
}

}  // namespace plumb
