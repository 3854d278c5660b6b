#include <doctest/doctest.h>

#include <vector>

#include "autograd/backward.h"
#include "autograd/checkpoint.h"
#include "autograd/ops/elementwise.h"
#include "autograd/ops/linalg.h"
#include "autograd/ops/reduce.h"
#include "engine/allocator.h"
#include "engine/profile/profiler.h"
#include "tests/support/numeric.h"

using namespace plumb;
using plumb::test::bits_of;
using plumb::test::random_tensor;

// What backward and checkpoint() hold on to, by the allocator's statistics. One activation is 256 KiB.

namespace {

constexpr int64_t kRows = 256, kFeatures = 256, kActivation = kRows * kFeatures * 4;

/// Bytes in use now and the most so far, above those at the beginning.
struct Memory {
  Memory() : start(allocator_statistics().allocated_bytes) {
    release_cached_memory();  // a larger idle block would count in full
    reset_peak_memory();
  }
  double now() const { return units(allocator_statistics().allocated_bytes); }
  double peak() const { return units(allocator_statistics().peak_allocated_bytes); }
  double units(int64_t bytes) const { return double(bytes - start) / double(kActivation); }
  int64_t start;
};

/// h <- tanh(h), which keeps one activation an op: its result.
Variable tanh_chain(Variable h, int64_t count) {
  for (int64_t i = 0; i < count; ++i) h = tanh(h);
  return h;
}

/// Three ops with one weight, three activations kept.
struct Block {
  explicit Block(uint64_t seed) : weight(Variable::leaf(random_tensor({kFeatures, kFeatures}, seed, DType::f32))) {}
  Variable operator()(const Variable& x) const { return tanh(tanh(mul(linear(x, weight, {}), 0.05))); }
  Variable weight;
};

}  // namespace

TEST_CASE("memory: a chain's backward needs what forward kept and two gradients on their way, not twice as much") {
  constexpr int64_t kOps = 24;
  const Variable x = Variable::leaf(random_tensor({kRows, kFeatures}, 1, DType::f32));
  const Tensor upstream = random_tensor({kRows, kFeatures}, 2, DType::f32);
  Memory memory;
  Variable y = tanh_chain(x, kOps);
  CHECK(memory.now() == doctest::Approx(kOps).epsilon(0.02));
  const Ref<Node> node = y.node();
  backward(y, {.grad = upstream});
  CHECK(memory.peak() < kOps + 2.1);
  CHECK(memory.now() < 2.1);  // the result, which y holds, and the leaf's gradient
}

TEST_CASE("memory: backward gives a node's tensors back as soon as the node is done") {
  constexpr int64_t kOps = 12;
  const Variable x = Variable::leaf(random_tensor({kRows, kFeatures}, 1, DType::f32));
  Variable loss = sum(tanh_chain(x, kOps));
  Profiler profiler;
  backward(loss);
  const Profile profile = profiler.stop();
  std::vector<int64_t> after;
  for (const ProfileEvent& event : profile.events)
    if (event.kind == EventKind::backward && std::string(event.name) == "tanh") after.push_back(event.allocated_after);
  REQUIRE(after.size() == kOps);
  // Each node frees one activation; the gradient it makes replaces the one it read.
  for (size_t i = 1; i + 1 < after.size(); ++i)
    CHECK(double(after[i - 1] - after[i]) / double(kActivation) == doctest::Approx(1).epsilon(0.05));
}

TEST_CASE("memory: with retain_graph everything stays, and the second backward frees it") {
  const Variable x = Variable::leaf(random_tensor({kRows, kFeatures}, 1, DType::f32));
  Memory memory;
  Variable loss = sum(tanh_chain(x, 8));
  const double kept = memory.now();
  backward(loss, {.retain_graph = true});
  CHECK(memory.now() == doctest::Approx(kept + 1).epsilon(0.05));  // and the leaf's gradient
  backward(loss);
  CHECK(memory.now() < 1.1);
}

TEST_CASE("memory: an op whose input needs no gradient keeps nothing") {
  const Variable constant = random_tensor({kRows, kFeatures}, 1, DType::f32);
  Memory memory;
  const Variable y = tanh_chain(constant, 10);
  CHECK(memory.now() < 1.1);
  CHECK(memory.peak() < 2.1);
}

TEST_CASE("memory: a checkpoint a block brings a stack of n blocks down to n + one block, with the same gradients") {
  constexpr int64_t kBlocks = 16, kInside = 4;  // kept of a block without checkpoints: product, scaled, tanh, tanh
  std::vector<Block> blocks;
  for (int64_t i = 0; i < kBlocks; ++i) blocks.emplace_back(uint64_t(i) + 1);
  const Tensor data = random_tensor({kRows, kFeatures}, 99, DType::f32);
  std::string bits[2];
  double peak[2];
  for (const bool checkpointed : {false, true}) {
    for (Block& block : blocks) block.weight.zero_grad();
    // Gradients of the weights have their place before, as in a training loop.
    for (Block& block : blocks) block.weight.use_grad_storage(zeros({kFeatures, kFeatures}));
    Variable input = Variable::leaf(data);
    Memory memory;
    Variable h = input;
    for (const Block& block : blocks) h = checkpointed ? checkpoint(block, h) : block(h);
    Variable loss = sum(h);
    h = Variable();
    backward(loss);
    peak[checkpointed] = memory.peak();
    for (const Block& block : blocks) bits[checkpointed] += bits_of(block.weight.grad());
    bits[checkpointed] += bits_of(input.grad());
  }
  CHECK(bits[0] == bits[1]);
  MESSAGE("peak of " << kBlocks << " blocks: " << peak[0] << " activations, with checkpoints " << peak[1]);
  CHECK(peak[0] > 2 * kBlocks);
  CHECK(peak[1] < kBlocks + kInside);  // 16 inputs of blocks less the one in use, and a block with its gradients
}

TEST_CASE("memory: checkpoints of checkpoints bring n blocks down to about the square root") {
  constexpr int64_t kGroups = 6, kEach = 6;
  std::vector<Block> blocks;
  for (int64_t i = 0; i < kGroups * kEach; ++i) blocks.emplace_back(uint64_t(i) + 1);
  for (Block& block : blocks) block.weight.use_grad_storage(zeros({kFeatures, kFeatures}));
  const Variable input = Variable::leaf(random_tensor({kRows, kFeatures}, 99, DType::f32));
  Memory memory;
  Variable h = input;
  for (int64_t g = 0; g < kGroups; ++g)
    h = checkpoint(
        [&blocks, g](const Variable& x) {
          Variable inner = x;
          for (int64_t i = 0; i < kEach; ++i) inner = checkpoint(blocks[size_t(g * kEach + i)], inner);
          return inner;
        },
        h);
  Variable loss = sum(h);
  h = Variable();
  backward(loss);
  MESSAGE("peak of 36 blocks in 6 groups: " << memory.peak() << " activations");
  CHECK(memory.peak() < kGroups + kEach + 8);  // the groups' inputs, a group's blocks' inputs, and one block
}
