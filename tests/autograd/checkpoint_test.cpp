#include "autograd/checkpoint.h"

#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/gradcheck.h"
#include "autograd/ops/elementwise.h"
#include "autograd/ops/index.h"
#include "autograd/ops/linalg.h"
#include "autograd/ops/reduce.h"
#include "engine/error.h"
#include "tests/support/numeric.h"

using namespace plumb;
using plumb::test::bits_of;
using plumb::test::random_tensor;

namespace {

/// Two layers with captured weights; x is used twice inside.
struct Block {
  explicit Block(uint64_t seed, DType dtype = DType::f32)
      : w(Variable::leaf(random_tensor({6, 6}, seed, dtype))), b(Variable::leaf(random_tensor({6}, seed + 1, dtype))) {}
  Variable operator()(const Variable& x) const { return add(silu(linear(x, w, b)), x); }
  void zero_grad() { w.zero_grad(), b.zero_grad(); }
  Variable w, b;
};

}  // namespace

TEST_CASE("checkpoint: value and gradients have the bits of the plain run, for inputs and captured leaves") {
  for (DType dtype : {DType::f32, DType::f64, DType::bf16}) {
    CAPTURE(int(dtype));
    Block first(1, dtype), second(5, dtype);
    const Tensor data = random_tensor({4, 6}, 9, dtype), upstream = random_tensor({4, 6}, 10, dtype);
    std::string bits[2];
    for (bool checkpointed : {false, true}) {
      first.zero_grad(), second.zero_grad();
      const Variable x = Variable::leaf(data);
      const Variable y = checkpointed ? checkpoint(second, checkpoint(first, x)) : second(first(x));
      backward(y, {.grad = upstream});
      bits[checkpointed] = bits_of(y.value()) + bits_of(x.grad()) + bits_of(first.w.grad()) + bits_of(first.b.grad()) +
                           bits_of(second.w.grad()) + bits_of(second.b.grad());
    }
    CHECK(bits[0] == bits[1]);
  }
}

TEST_CASE("checkpoint: nested ones recompute inside the recomputation") {
  Block a(1), b(2), c(3);
  const Tensor data = random_tensor({4, 6}, 9, DType::f32);
  std::string bits[2];
  for (bool checkpointed : {false, true}) {
    a.zero_grad(), b.zero_grad(), c.zero_grad();
    const Variable x = Variable::leaf(data);
    const auto inner = [&](const Variable& in) { return checkpointed ? checkpoint(b, in) : b(in); };
    const auto outer = [&](const Variable& in) { return c(inner(a(in))); };
    backward(sum(checkpointed ? checkpoint(outer, x) : outer(x)));
    bits[checkpointed] = bits_of(x.grad()) + bits_of(a.w.grad()) + bits_of(b.w.grad()) + bits_of(c.w.grad());
  }
  CHECK(bits[0] == bits[1]);
}

TEST_CASE("checkpoint: keeps its inputs and nothing of what happens inside") {
  Block block(1);
  const Variable x = Variable::leaf(random_tensor({4, 6}, 9, DType::f32));
  int calls = 0;
  const Variable y = checkpoint(
      [&](const Variable& in) {
        CHECK(grad_enabled() == (++calls == 2));
        return block(in);
      },
      x);
  CHECK(std::string(y.node()->name) == "checkpoint");
  CHECK(y.node()->saved_tensors().size() == 1);
  CHECK(y.node()->saved_tensors()[0].tensor.is_same(x.value()));
  CHECK(calls == 1);
  backward(sum(y));
  CHECK(calls == 2);
}

TEST_CASE("checkpoint: with captured leaves alone the option saves the memory; gradients are right either way") {
  Block block(1);
  const Tensor data = random_tensor({4, 6}, 9, DType::f32);
  CHECK(std::string(checkpoint(block, data).node()->name) != "checkpoint");
  backward(sum(block(data)));
  const std::string plain = bits_of(block.w.grad());
  block.zero_grad();
  backward(sum(checkpoint(block, data)));
  CHECK(bits_of(block.w.grad()) == plain);
  block.zero_grad();
  const Variable y = checkpoint({.captures_leaves = true}, block, data);
  CHECK(std::string(y.node()->name) == "checkpoint");
  backward(sum(y));
  CHECK(bits_of(block.w.grad()) == plain);
}

TEST_CASE("checkpoint: several inputs, some constant, some integers") {
  const auto function = [](const Variable& table, const Variable& index, const Variable& x, const Variable& scale) {
    return mul(add(embedding(index.value(), table), x), scale);
  };
  const Tensor index = from_vector<int64_t>({2, 0, 2}, {3});
  const Variable constant = random_tensor({3, 1}, 4);
  const GradcheckResult result =
      gradcheck([&](std::span<const Variable> in) { return checkpoint(function, in[0], index, in[1], constant); },
                {random_tensor({4, 2}, 1), random_tensor({3, 2}, 2)});
  INFO(result.report());
  CHECK(result.passed);
}

TEST_CASE("checkpoint: under NoGrad it is a plain call") {
  Block block(1);
  NoGrad no_grad;
  CHECK(!checkpoint({.captures_leaves = true}, block, random_tensor({4, 6}, 9, DType::f32)).requires_grad());
}

TEST_CASE("checkpoint: an input overwritten in between is an error, not a wrong gradient") {
  Block block(1);
  Tensor data = random_tensor({4, 6}, 9, DType::f32);
  const Variable x = Variable::leaf(data);
  const Variable y = sum(checkpoint(block, x));
  data.fill_(0);
  CHECK_THROWS_AS(backward(y), Error);
}

TEST_CASE("checkpoint: a graph that is kept can be swept twice") {
  Block block(1);
  const Variable x = Variable::leaf(random_tensor({4, 6}, 9, DType::f64).to(DType::f32));
  const Variable y = sum(checkpoint(block, x));
  backward(y, {.retain_graph = true});
  const std::vector<float> once = x.grad().to_vector<float>();
  backward(y);
  const std::vector<float> twice = x.grad().to_vector<float>();
  for (size_t i = 0; i < once.size(); ++i) CHECK(twice[i] == 2 * once[i]);
}
