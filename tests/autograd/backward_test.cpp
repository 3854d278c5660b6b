#include "autograd/backward.h"

#include <doctest/doctest.h>

#include "autograd/record.h"
#include "engine/error.h"

using namespace plumb;

namespace {

Variable twice(const Variable& x) {
  Tensor y = x.value().clone();
  y.mul_(2);
  return record("twice", y, {x}, save(), [](const Saved&, const Tensor& grad, Needs) {
    Tensor g = grad.clone();
    g.mul_(2);
    return Grads(g);
  });
}

Variable sum_of(const Variable& a, const Variable& b) {
  Tensor y = a.value().clone();
  y.add_(b.value());
  return record("sum_of", y, {a, b}, save(), [](const Saved&, const Tensor& grad, Needs) { return Grads(grad, grad); });
}

}  // namespace

TEST_CASE("backward: a shared node receives every contribution before it runs") {
  const Variable x = Variable::leaf(full({2, 3}, 1.5));
  const Variable y = twice(x);
  const Variable z = sum_of(sum_of(y, x), twice(y));  // 2x + x + 4x
  backward(z, {.grad = ones({2, 3})});
  for (double g : x.grad().to_vector<double>()) CHECK(g == 7);
}

TEST_CASE("backward: one gradient tensor returned for two inputs is not shared by them") {
  // Adopted or added to in place by one, it would change the other.
  const Variable x = Variable::leaf(full({1}, 1)), y = Variable::leaf(full({1}, 1));
  backward(sum_of(x, y));
  backward(sum_of(x, y));
  CHECK(x.grad().item() == 2);
  CHECK(y.grad().item() == 2);

  const Variable a = Variable::leaf(full({1}, 1)), b = Variable::leaf(full({1}, 1));
  const Variable zero = full({1}, 0);
  const Variable p = sum_of(a, zero), q = sum_of(b, zero);
  backward(sum_of(sum_of(p, q), sum_of(p, q)));
  CHECK(a.grad().item() == 2);
  CHECK(b.grad().item() == 2);
}

TEST_CASE("backward: leaf gradients add up until zero_grad") {
  Variable x = Variable::leaf(full({1}, 1));
  backward(twice(x));
  backward(twice(x));
  CHECK(x.grad().item() == 4);
  x.zero_grad();
  CHECK(!x.grad().defined());
  backward(twice(x));
  CHECK(x.grad().item() == 2);
}

TEST_CASE("backward: a chain of a million ops neither overflows the stack forwards nor backwards") {
  const Variable x = Variable::leaf(full({1}, 1));
  Variable y = x;
  for (int i = 0; i < 1000000; ++i) y = sum_of(y, Variable(full({1}, 0)));
  backward(y);
  CHECK(x.grad().item() == 1);
}

TEST_CASE("backward: refuses a graph that was freed") {
  const Variable x = Variable::leaf(full({1}, 1));
  const Variable y = twice(x);
  backward(y);
  CHECK_THROWS_WITH_AS(backward(y),
                       "backward: the graph behind twice was freed by an earlier backward; set retain_graph", Error);
}

TEST_CASE("backward: names the op whose saved tensor was overwritten") {
  const Variable x = Variable::leaf(full({1}, 3));
  Tensor kept = x.value();
  const Variable y = record("keeper", x.value().clone(), {x}, save(kept),
                            [](const Saved& saved, const Tensor&, Needs) { return Grads(saved[0].clone()); });
  kept.fill_(4);
  CHECK_THROWS_WITH_AS(
      backward(y),
      "backward: keeper needs a tensor that was changed in place after it was saved (version 1, now 2); f32[1]", Error);
}

TEST_CASE("backward: a leaf is announced once, with its whole gradient") {
  struct Seen {
    int calls = 0;
    double grad = 0;
  } seen;
  const Variable x = Variable::leaf(full({1}, 1));
  backward(sum_of(twice(x), x), {.leaf_ready =
                                     [](void* context, Node& leaf) {
                                       Seen& announced = *static_cast<Seen*>(context);
                                       ++announced.calls;
                                       announced.grad = leaf.grad.item();
                                     },
                                 .leaf_ready_context = &seen});
  CHECK(seen.calls == 1);
  CHECK(seen.grad == 3);
}
