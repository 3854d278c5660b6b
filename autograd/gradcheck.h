#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "autograd/variable.h"

namespace plumb {

struct GradcheckOptions {
  /// Step of the differences, times max(1, |x|). Two steps, this and half of it, are combined into a fourth-order
  /// difference, so the step may be large enough to keep rounding small.
  double step = 1e-4;
  /// An element passes when |analytic - numeric| <= absolute + relative * |numeric|.
  double relative = 1e-6;
  double absolute = 1e-8;
  /// Seed of the upstream gradient, uniform in [-1, 1].
  uint64_t seed = 0;
  /// Elements on a kink are always reported; with this they do not fail the check.
  bool allow_kinks = false;
  /// Report lines for at most so many elements an input.
  int64_t report_limit = 5;
};

enum class GradcheckVerdict : uint8_t { ok, mismatch, kink, not_a_number };

/// One element of one input that did not simply pass.
struct GradcheckElement {
  int64_t index;  ///< row-major
  double analytic, numeric;
  GradcheckVerdict verdict;
};

struct GradcheckInput {
  Shape shape;
  bool differentiable = false;  ///< floating; others are passed as constants
  int64_t worst_index = -1;     ///< largest error relative to what is allowed, among elements off kinks
  double worst_analytic = 0, worst_numeric = 0;
  double worst_ratio = 0;  ///< |analytic - numeric| / allowed
  int64_t mismatches = 0, kinks = 0, nans = 0;
  std::vector<GradcheckElement> elements;  ///< those that did not pass, first report_limit of them
};

struct GradcheckResult {
  bool passed = false;
  bool repeatable = true;  ///< two evaluations of the function gave the same bits
  std::vector<GradcheckInput> inputs;
  /// A line an input, and one for each element that did not pass.
  std::string report() const;
};

namespace detail {
using GradcheckFunction = Variable (*)(void* context, std::span<const Variable> inputs);
GradcheckResult run_gradcheck(GradcheckFunction function, void* context, std::span<const Tensor> inputs,
                              const GradcheckOptions& options);
}  // namespace detail

/// Compares the gradients of `function`: (span<const Variable>) -> Variable with central differences in f64, under a
/// random upstream gradient u: both sides are d sum(u * y) / d x_i.
///
/// An element is on a kink when its one-sided differences do not approach each other as the step is halved, or when the
/// central differences of the two steps disagree: there a difference quotient proves nothing, and it is reported
/// instead of passed. NaN in the value, a gradient or a difference fails. Integer inputs are passed as constants. Every
/// element is checked: 4 evaluations of the function an element. Throws DTypeError when a floating input is not f64;
/// ValueError when no input is floating.
///   const GradcheckResult result = gradcheck([](auto in) { return silu(in[0]); }, {x});
///   if (!result.passed) fail(result.report());
template <class F>
GradcheckResult gradcheck(F&& function, std::span<const Tensor> inputs, const GradcheckOptions& options = {}) {
  using Function = std::remove_reference_t<F>;
  return detail::run_gradcheck(
      [](void* context, std::span<const Variable> variables) -> Variable {
        return (*static_cast<Function*>(context))(variables);
      },
      const_cast<void*>(static_cast<const void*>(&function)), inputs, options);
}
template <class F>
GradcheckResult gradcheck(F&& function, const std::vector<Tensor>& inputs, const GradcheckOptions& options = {}) {
  return gradcheck(function, std::span<const Tensor>(inputs), options);
}

}  // namespace plumb
