#include "apps/align/pictures/reference_cache.h"

#include <algorithm>
#include <numeric>

namespace plumb {

ReferenceCache::ReferenceCache(const Options& options, const Make& make) : pairs_(options.pairs) {
  // Some 16 MiB a file: what a run that is stopped makes again.
  constexpr int64_t kBytesAFile = 16 << 20;
  const int64_t bytes_a_step = options.pairs * 2 * (1 + options.elements) * int64_t(sizeof(float));
  const int64_t steps_a_file = std::max<int64_t>(1, kBytesAFile / bytes_a_step);
  const auto made = [&](int64_t begin, int64_t end) {
    std::vector<FrozenRows> parts;
    for (int64_t step = begin / pairs_; step < end / pairs_; ++step) {
      const FrozenRows part = make(step);
      parts.push_back({part.errors.to(kCpu), part.targets.defined() ? part.targets.to(kCpu).to(DType::f32) : Tensor()});
    }
    const FrozenRows all = FrozenRows::cat(parts);
    TensorMap tensors{{"errors", all.errors}};
    if (all.targets.defined()) tensors.emplace("targets", all.targets);
    return tensors;
  };
  rows_ = std::make_unique<train::RowCache>(options.folder,
                                            train::RowCache::Options{.name = "reference",
                                                                     .key = options.key,
                                                                     .rows = options.steps * pairs_,
                                                                     .rows_a_file = steps_a_file * pairs_,
                                                                     .quiet = options.quiet},
                                            made);
}

FrozenRows ReferenceCache::at(int64_t step) const {
  std::vector<int64_t> rows(static_cast<size_t>(pairs_));
  std::iota(rows.begin(), rows.end(), step * pairs_);
  return {rows_->gather("errors", rows), rows_->contains("targets") ? rows_->gather("targets", rows) : Tensor()};
}

int64_t steps_of_draws(int64_t draws, int64_t pairs, int64_t pairs_a_step) {
  return (draws * pairs + pairs_a_step - 1) / pairs_a_step;
}

}  // namespace plumb
