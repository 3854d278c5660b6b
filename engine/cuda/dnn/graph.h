#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "engine/cuda/dnn/target.h"
#include "engine/dtype.h"

// Internal to engine/cuda/dnn.

namespace plumb::dnn {

using Four = std::array<int64_t, 4>;

/// The names of the arrays of a graph, by which a plan gets their addresses.
enum class Role : int64_t {
  x = 1,
  weight,
  y,
  bias,
  q,
  k,
  v,
  out,
  stats,
  grad,
  grad_q,
  grad_k,
  grad_v,
  sums,
  scale,
  one
};

struct ArraySpec {
  cudnnDataType_t type;
  Four sizes, strides;
};

/// Strides of sizes stored densely, the last dimension innermost.
Four dense_strides(const Four& sizes);
cudnnDataType_t data_type(DType dtype);

/// Ops on arrays, joined through values that exist only inside the graph. Keeps every descriptor alive.
class Graph {
 public:
  using Node = const Descriptor*;

  /// An array in memory.
  Node array(Role role, const ArraySpec& spec);
  /// The same, in an order of cuDNN's own.
  Node scratch_array(Role role, const ArraySpec& spec);
  /// One f32, whose address is on the CPU.
  Node number(Role role);
  Node inner(const ArraySpec& spec);

  /// A new op; finalized by finish.
  Descriptor& op(cudnnBackendDescriptorType_t type);
  /// A descriptor that ops refer to, to be finalized by the caller.
  Descriptor& part(cudnnBackendDescriptorType_t type);

  void pointwise(cudnnPointwiseMode_t mode, Node x, Node b, Node y);
  void matmul(Node a, Node b, Node c);
  void reshape(Node x, Node y);
  void sum(Node x, Node y);

  /// The graph, finalized; for a real device when the target has one.
  const Descriptor& finish(const Target& target);

 private:
  enum class Kind { memory, reordered, inner, by_value };
  Node tensor(int64_t id, const ArraySpec& spec, Kind kind);

  std::deque<Descriptor> parts_, ops_;
  Descriptor graph_;
  int64_t next_inner_ = 100;
};

}  // namespace plumb::dnn
