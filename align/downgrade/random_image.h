#pragma once

#include <vector>

#include "engine/random/random_key.h"
#include "engine/tensor.h"

namespace plumb {

/// A uniformly random order of 0 … n-1 in which nothing keeps its place (by rejection: 2.7 tries on average).
/// Throws ValueError for n = 1, of which there is none, and when n is negative.
std::vector<int64_t> derangement(const RandomKey& key, int64_t n);

/// For every own[i] (i64 [B], in [0, count)) another index of [0, count), uniform. Row i depends on key and i alone.
/// Throws ValueError when count < 2, IndexError for an own[i] outside.
Tensor draw_others(const Tensor& own, int64_t count, const RandomKey& key);

/// Self-DPO's default downgrade: each picture becomes another one of the batch.                 [Self-DPO, Sec. 3.2]
/// images: [B, …], any shape · returns their rows in a deranged order; with allow_fixed_points in any order, as the
/// released code does, so that some may stay. A batch of one takes a row of `data_set` [P, …] instead: uniformly drawn,
/// then the first from there on that differs from the picture. Rows of equal content count as different pictures
/// within a batch.
/// Throws ValueError when a batch of one finds no other picture.
Tensor random_image(const Tensor& images, const RandomKey& key, bool allow_fixed_points = false,
                    const Tensor& data_set = {});

}  // namespace plumb
