// Losses and optimisers: what a training step needs beside the network.

#include <doctest/doctest.h>

#include "engine/ops/loss/pair_logit_kernels.h"
#include "engine/ops/loss/squared_error_kernels.h"
#include "engine/ops/optim/optim_kernels.h"
#include "tests/engine/cuda/both_orders.h"
#include "tests/support/numeric.h"

namespace plumb {
namespace {

using test::bits_of;

constexpr DType kTypes[] = {DType::f32, DType::f64, DType::bf16, DType::f16};

void check_close(const Tensor& actual, const Tensor& expected) {
  const DType dtype = expected.dtype();
  const double tolerance = dtype == DType::f64 ? 1e-12 : dtype == DType::f32 ? 1e-5 : 1e-2;
  CHECK(test::worst_error(actual, expected.to_vector<double>()) <= tolerance);
}

}  // namespace

TEST_CASE("squared errors on cuda: a sum a sample, the gain over a reference, element by element, and gradients") {
  for (DType dtype : kTypes)
    for (const auto& [rows, count] : {std::pair{3, 77}, {1, 20'000}, {5, 1}}) {
      const Shape shape{rows, count};
      const Tensor pred = test::random_tensor(shape, 1, dtype), target = test::random_tensor(shape, 2, dtype),
                   ref = test::random_tensor(shape, 3, dtype);
      const DType acc = acc_dtype(dtype);
      Tensor expected = empty({rows}, acc), actual = empty({rows}, acc);
      squared_error_kernel(Cpu{}, pred, target, rows, double(count), expected);
      test::in_both_orders([&, count = count, rows = rows] {
        squared_error_kernel(Cuda{}, pred, target, rows, double(count), actual);
        check_close(actual, expected);
      });
      error_gain_kernel(Cpu{}, pred, ref, target, double(count), expected);
      error_gain_kernel(Cuda{}, pred, ref, target, double(count), actual);
      check_close(actual, expected);
      const Tensor grad = test::random_tensor({rows}, 4, acc), each = test::random_tensor(shape, 5, dtype);
      Tensor p = empty(shape, dtype), t = empty(shape, dtype), q = empty(shape, dtype), u = empty(shape, dtype), none;
      squared_error_backward_kernel(Cpu{}, grad, pred, target, double(count), p, t);
      squared_error_backward_kernel(Cuda{}, grad, pred, target, double(count), q, u);
      CHECK(bits_of(p) == bits_of(q));
      CHECK(bits_of(t) == bits_of(u));
      squared_difference_kernel(Cpu{}, pred, target, p);
      squared_difference_kernel(Cuda{}, pred, target, q);
      CHECK(bits_of(p) == bits_of(q));
      squared_difference_backward_kernel(Cpu{}, each, pred, target, p, none);
      squared_difference_backward_kernel(Cuda{}, each, pred, target, q, none);
      CHECK(bits_of(p) == bits_of(q));
    }
}

TEST_CASE(
    "pair_logit on cuda: errors, gains and logits of pairs, and the gradient, from one element a sample to many") {
  for (DType dtype : {DType::f32, DType::f64, DType::bf16, DType::f16})
    for (const Shape& shape : {Shape{2}, Shape{6, 2}, Shape{4, 3, 100}, Shape{2, 2100}}) {
      const Tensor pred = test::random_tensor(shape, 1, dtype), ref = test::random_tensor(shape, 2, dtype),
                   target = test::random_tensor(shape, 3, dtype);
      const DType acc = acc_dtype(dtype);
      const int64_t rows = shape[0];
      const auto results = [&] {
        return PairLogit{empty({rows / 2}, acc), empty({rows}, acc), empty({rows}, acc), empty({rows}, acc)};
      };
      const PairOperands operands{pred, ref, target, double(pred.numel() / rows), -1.5};
      const Tensor grad = test::random_tensor({rows / 2}, 4, acc);
      PairLogit expected = results(), actual = results();
      Tensor expected_grad = empty(shape, dtype), actual_grad = empty(shape, dtype);
      pair_logit_kernel(Cpu{}, operands, expected);
      pair_logit_backward_kernel(Cpu{}, grad, operands, expected_grad);
      const auto check = [&] {
        pair_logit_kernel(Cuda{}, operands, actual);
        pair_logit_backward_kernel(Cuda{}, grad, operands, actual_grad);
        const double allowed = dtype == DType::f64 ? 1e-13 : 2e-5;
        for (const auto& [got, wanted] : {std::pair{actual.logit, expected.logit},
                                          {actual.gain, expected.gain},
                                          {actual.error, expected.error},
                                          {actual.ref_error, expected.ref_error}})
          CHECK(test::worst_error(got, wanted.to_vector<double>()) <= allowed);
        CHECK(bits_of(actual_grad) == bits_of(expected_grad));
      };
      dtype == DType::f32 ? test::in_both_orders(check) : check();
    }
}

TEST_CASE(
    "adam and sgd on cuda: the CPU's bits over steps, masters, 16-bit weights, decay of both kinds, skipped steps") {
  struct Kind {
    DType weight, value;
    bool has_value;
  };
  for (const Kind& kind : {Kind{DType::f32, DType::bf16, true},
                           {DType::f32, DType::f32, false},
                           {DType::bf16, DType::f32, false},
                           {DType::f64, DType::f64, false}})
    for (const bool variant : {false, true})
      test::in_both_orders([&] {
        const Shape shape{1003};
        const DType acc = acc_dtype(kind.weight);
        const auto tensors = [&] {
          return UpdateTensors{test::random_tensor(shape, 1, kind.weight),
                               kind.has_value ? zeros(shape, kind.value) : Tensor(), test::random_tensor(shape, 2, acc),
                               zeros(shape, acc), zeros(shape, acc)};
        };
        for (const bool adam : {true, false}) {
          UpdateTensors expected = tensors(), actual = tensors();
          if (!adam && variant) expected.state1 = actual.state1 = Tensor();
          StepControl control{scalar(0.01, DType::f64), scalar(0, DType::f64), scalar(0, DType::boolean)};
          for (int step = 0; step < 4; ++step) {
            control.skip.fill_(step == 2);
            advance_step_kernel(Cuda{}, control);
            if (adam) {
              const AdamOptions options{.weight_decay = 0.1, .decoupled = variant};
              adam_kernel(Cpu{}, expected, control, options);
              adam_kernel(Cuda{}, actual, control, options);
            } else {
              const SgdOptions options{.momentum = variant ? 0 : 0.9, .dampening = 0.1, .weight_decay = 0.1};
              sgd_kernel(Cpu{}, expected, control, options);
              sgd_kernel(Cuda{}, actual, control, options);
            }
          }
          CHECK(control.step.item() == 3);
          CHECK(bits_of(actual.weight) == bits_of(expected.weight));
          if (kind.has_value) CHECK(bits_of(actual.value) == bits_of(expected.value));
          if (adam) CHECK(bits_of(actual.state2) == bits_of(expected.state2));
        }
      });
}

TEST_CASE("clipping, moving averages and the search for what is not finite, on cuda") {
  for (DType dtype : kTypes) {
    const Tensor x = test::random_tensor({40'001}, 1, dtype);
    Tensor expected = scalar(2, DType::f64), actual = scalar(2, DType::f64);
    add_sum_of_squares_kernel(Cpu{}, x, expected);
    add_sum_of_squares_kernel(Cuda{}, x, actual);
    check_close(actual, expected);
    Tensor shadow = test::random_tensor({33}, 2, dtype), other = shadow.clone();
    const Tensor weight = test::random_tensor({33}, 3, dtype), decay = scalar(0.9, DType::f64);
    ema_kernel(Cpu{}, weight, decay, shadow);
    ema_kernel(Cuda{}, weight, decay, other);
    CHECK(bits_of(other) == bits_of(shadow));
    for (double factor : {1.0, 0.3}) {
      scale_by_kernel(Cpu{}, scalar(factor, DType::f64), shadow);
      scale_by_kernel(Cuda{}, scalar(factor, DType::f64), other);
      CHECK(bits_of(other) == bits_of(shadow));
    }
  }
  for (double value : {0.0, 0.5, 9.0, __builtin_inf(), __builtin_nan("")}) {
    const Tensor x = scalar(value, DType::f64);
    Tensor expected = scalar(0, DType::f64), actual = scalar(0, DType::f64), yes = scalar(0, DType::boolean),
           also = scalar(0, DType::boolean);
    root_kernel(Cpu{}, x, expected);
    root_kernel(Cuda{}, x, actual);
    CHECK(bits_of(actual) == bits_of(expected));
    clip_factor_kernel(Cpu{}, x, 2, expected);
    clip_factor_kernel(Cuda{}, x, 2, actual);
    CHECK(bits_of(actual) == bits_of(expected));
    not_finite_kernel(Cpu{}, x, yes);
    not_finite_kernel(Cuda{}, x, also);
    CHECK(bits_of(also) == bits_of(yes));
  }
}

}  // namespace plumb
