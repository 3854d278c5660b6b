#pragma once

#include "engine/cuda/dnn/dnn.h"
#include "engine/cuda/dnn/graph.h"

// Internal to engine/cuda/dnn: problems as graphs, the same for a device and for a description of one.

namespace plumb::dnn {

/// All that a plan depends on, as a name that a file can have.
std::string name_of(const DnnConvolution& problem);
std::string name_of(const DnnAttention& problem);

void build(Graph& graph, const DnnConvolution& problem);
/// `deterministic`: a backward whose sums have a fixed order.
void build(Graph& graph, const DnnAttention& problem, bool deterministic);

/// How many of the batch a deterministic backward takes at once: the largest part of it that stays under the
/// workspace's limit; the whole batch for all else. 0: not even one.
int64_t slice_of(const DnnAttention& problem, bool deterministic);
/// Bytes of Role::sums, which a backward that is not deterministic adds up grad_q in; else 0.
int64_t sums_bytes(const DnnAttention& problem, bool deterministic);

}  // namespace plumb::dnn
