#include "align/downgrade/random_image.h"

#include <cstring>

#include "engine/format.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "engine/random/fills.h"
#include "engine/require.h"

namespace plumb {
namespace {

bool keeps_a_place(const std::vector<int64_t>& order) {
  for (size_t i = 0; i < order.size(); ++i)
    if (order[i] == int64_t(i)) return true;
  return false;
}

/// A row of the data set that is not the picture, as a batch of one.
Tensor other_picture(const Tensor& image, const Tensor& data_set, const RandomKey& key) {
  require<ValueError>(data_set.defined(),
                      "random_image: a batch of one needs the data set to draw another picture from; {}", image);
  const int64_t count = data_set.size(0);
  const int64_t bytes = image.numel() * int64_t(size_of(image.dtype()));
  require<ValueError>(data_set.dtype() == image.dtype() && count > 0 && data_set.numel() / count == image.numel(),
                      "random_image: the data set must hold pictures like the batch's; {} and {}", data_set, image);
  const Tensor own = image.to(kCpu).contiguous();
  const int64_t start = randint(key.fork("other picture"), 0, count, {1}).item<int64_t>();
  for (int64_t i = 0; i < count; ++i) {
    const int64_t row = (start + i) % count;
    const Tensor candidate = slice(data_set, 0, row, row + 1).contiguous(), compared = candidate.to(kCpu);
    if (std::memcmp(compared.raw_data(), own.raw_data(), size_t(bytes)) != 0) return candidate;
  }
  raise<ValueError>("random_image: the data set holds no other picture ({} equal ones)", count);
}

}  // namespace

std::vector<int64_t> derangement(const RandomKey& key, int64_t n) {
  require<ValueError>(n != 1, "derangement: one element cannot change its place");
  RandomKey attempt = key;
  std::vector<int64_t> order = permutation(attempt, n);
  while (keeps_a_place(order)) {
    attempt = attempt.fork("again");
    order = permutation(attempt, n);
  }
  return order;
}

Tensor draw_others(const Tensor& own, int64_t count, const RandomKey& key) {
  require<ValueError>(count >= 2, "draw_others: there must be another one ({} in all)", count);
  const std::vector<int64_t> self = own.to_vector<int64_t>();
  const Tensor draws = randint(key, 0, count - 1, own.shape());
  const int64_t* drawn = draws.data<int64_t>();
  Tensor result = empty(own.shape(), DType::i64);
  for (size_t i = 0; i < self.size(); ++i) {
    require<IndexError>(self[i] >= 0 && self[i] < count, "draw_others: index must be in [0, {}) ({})", count, self[i]);
    // Every index from one's own on moves up by one.
    result.mutable_data<int64_t>()[i] = drawn[i] + (drawn[i] >= self[i] ? 1 : 0);
  }
  return result;
}

Tensor random_image(const Tensor& images, const RandomKey& key, bool allow_fixed_points, const Tensor& data_set) {
  const int64_t count = images.size(0);
  if (count == 1) return other_picture(images, data_set, key);
  const std::vector<int64_t> order = allow_fixed_points ? permutation(key, count) : derangement(key, count);
  return index_select(images, 0, from_vector(order, {count}).to(images.device()));
}

}  // namespace plumb
