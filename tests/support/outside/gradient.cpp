// A gradient through an op of the user's own.
// prints: dy/dx = 2 at x = 3
#include <autograd/backward.h>
#include <autograd/record.h>

#include <cstdio>

int main() {
  const plumb::Variable x = plumb::Variable::leaf(plumb::scalar(3));
  plumb::Tensor doubled = x.value().clone().mul_(2);
  const plumb::Variable y = plumb::record(
      "twice", doubled, {x}, plumb::save(),
      [](const plumb::Saved&, const plumb::Tensor& grad, plumb::Needs) { return plumb::Grads(grad.clone().mul_(2)); });
  plumb::backward(y);
  std::printf("dy/dx = %g at x = %g\n", x.grad().item(), x.value().item());
}
