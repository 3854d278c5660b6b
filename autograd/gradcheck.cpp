#include "autograd/gradcheck.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "autograd/backward.h"
#include "autograd/grad_mode.h"
#include "engine/format.h"
#include "engine/random/fills.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// What the differences of one element say.
struct Difference {
  double value;  // fourth-order central difference
  bool on_kink;
};

class Checker {
 public:
  Checker(detail::GradcheckFunction function, void* context, std::span<const Tensor> inputs,
          const GradcheckOptions& options)
      : function_(function), context_(context), options_(options) {
    for (const Tensor& input : inputs) {
      require<DTypeError>(!is_floating(input.dtype()) || input.dtype() == DType::f64,
                          "gradcheck: floating inputs must be f64; {}", input);
      // Copies: elements are moved in place, and the caller's tensor may be a view.
      const Tensor copy = input.clone();
      variables_.push_back(is_floating(copy.dtype()) ? Variable::leaf(copy) : Variable(copy));
    }
  }

  GradcheckResult run() {
    const Variable y = function_(context_, variables_);
    require<ValueError>(y.requires_grad(), "gradcheck: the function must depend on a floating input; {} inputs",
                        variables_.size());
    require<DTypeError>(y.dtype() == DType::f64, "gradcheck: the function must return f64; {}", y.value());
    upstream_ = empty(y.shape(), DType::f64);
    fill_uniform(RandomKey{.seed = options_.seed}.fork("gradcheck"), {1, y.numel()}, upstream_.mutable_data<double>());
    upstream_.mul_(2).add_(full({}, -1, DType::f64));
    weights_ = upstream_.to_vector<double>();
    backward(y, {.grad = upstream_});

    NoGrad no_grad;
    GradcheckResult result;
    middle_ = values();
    const std::vector<double> again = values();
    result.repeatable = std::memcmp(middle_.data(), again.data(), again.size() * sizeof(double)) == 0;
    for (double value : middle_) scale_ = std::max(scale_, std::abs(value));
    result.passed = result.repeatable;
    for (const Variable& variable : variables_) {
      result.inputs.push_back(check_input(variable));
      const GradcheckInput& input = result.inputs.back();
      result.passed &= input.mismatches == 0 && input.nans == 0 && (options_.allow_kinks || input.kinks == 0);
    }
    return result;
  }

 private:
  std::vector<double> values() const { return function_(context_, variables_).value().to_vector<double>(); }

  std::vector<double> values_with(double& element, double value) const {
    const double before = element;
    element = value;
    std::vector<double> result = values();
    element = before;
    return result;
  }

  /// sum(u * (a - b)). Differences are taken first: what does not depend on the element cancels exactly.
  double weighted_difference(const std::vector<double>& a, const std::vector<double>& b) const {
    double total = 0;
    for (size_t i = 0; i < a.size(); ++i) total += weights_[i] * (a[i] - b[i]);
    return total;
  }

  Difference difference(double& element) const {
    const double x = element;
    // A step that is a power of two times the spacing of x is exact in x + h and x - h.
    const double h = std::exp2(std::round(std::log2(options_.step * std::max(1.0, std::abs(x)))));
    double central[2], gap[2];
    for (int i = 0; i < 2; ++i) {
      const double step = i == 0 ? h : h / 2;
      const std::vector<double> above = values_with(element, x + step), below = values_with(element, x - step);
      central[i] = weighted_difference(above, below) / (2 * step);
      gap[i] = std::abs(weighted_difference(above, middle_) - weighted_difference(middle_, below)) / step;
    }
    // Smooth: gap = h |f''|, halved with h. A kink keeps it, a jump doubles it. Below the noise nothing can be said.
    const double noise = 1e-7 * (1 + std::abs(central[1])) + 1e-13 * scale_ / h;
    const bool one_sided = gap[0] > noise && gap[1] > 0.75 * gap[0];
    const bool unsettled = std::abs(central[0] - central[1]) > 1e-4 * (std::abs(central[1]) + std::abs(gap[0])) + noise;
    return {(4 * central[1] - central[0]) / 3, one_sided || unsettled};
  }

  GradcheckInput check_input(const Variable& variable) const {
    GradcheckInput input;
    input.shape = variable.shape();
    input.differentiable = variable.requires_grad();
    if (!input.differentiable) return input;
    Tensor x = variable.value();
    // No gradient at all means zero: the function may ignore an input.
    const Tensor grad = variable.grad().defined() ? variable.grad() : zeros_like(x);
    const std::vector<double> analytic = grad.to_vector<double>();
    for (int64_t i = 0; i < x.numel(); ++i)
      judge(input, i, analytic[size_t(i)], difference(x.mutable_data<double>()[i]));
    return input;
  }

  void judge(GradcheckInput& input, int64_t index, double analytic, const Difference& difference) const {
    const double allowed = options_.absolute + options_.relative * std::abs(difference.value);
    const double ratio = std::abs(analytic - difference.value) / allowed;
    GradcheckVerdict verdict = GradcheckVerdict::ok;
    if (!std::isfinite(analytic) || !std::isfinite(difference.value)) {
      verdict = GradcheckVerdict::not_a_number;
      ++input.nans;
    } else if (difference.on_kink) {
      verdict = GradcheckVerdict::kink;
      ++input.kinks;
    } else {
      if (!(ratio <= 1)) {
        verdict = GradcheckVerdict::mismatch;
        ++input.mismatches;
      }
      if (input.worst_index < 0 || ratio > input.worst_ratio) {
        input.worst_index = index;
        input.worst_ratio = ratio;
        input.worst_analytic = analytic;
        input.worst_numeric = difference.value;
      }
    }
    if (verdict != GradcheckVerdict::ok && int64_t(input.elements.size()) < options_.report_limit)
      input.elements.push_back({index, analytic, difference.value, verdict});
  }

  detail::GradcheckFunction function_;
  void* context_;
  GradcheckOptions options_;
  std::vector<Variable> variables_;
  Tensor upstream_;
  std::vector<double> weights_;
  std::vector<double> middle_;  // the function at the given inputs
  double scale_ = 0;            // largest magnitude in it: rounding is a share of that
};

/// "[1, 0, 2]" of a row-major index.
Dims position(const Shape& shape, int64_t index) {
  Dims at = Dims::filled(shape.rank(), 0);
  for (int64_t d = shape.rank() - 1; d >= 0; --d) {
    at[d] = index % shape[d];
    index /= shape[d];
  }
  return at;
}

const char* name_of(GradcheckVerdict verdict) {
  switch (verdict) {
    case GradcheckVerdict::ok:
      return "ok";
    case GradcheckVerdict::mismatch:
      return "mismatch";
    case GradcheckVerdict::kink:
      return "on a kink";
    case GradcheckVerdict::not_a_number:
      return "not finite";
  }
  return "";
}

}  // namespace

GradcheckResult detail::run_gradcheck(GradcheckFunction function, void* context, std::span<const Tensor> inputs,
                                      const GradcheckOptions& options) {
  return Checker(function, context, inputs, options).run();
}

std::string GradcheckResult::report() const {
  std::string text;
  if (!repeatable) text += "the function is not repeatable: two evaluations differ\n";
  for (size_t i = 0; i < inputs.size(); ++i) {
    const GradcheckInput& input = inputs[i];
    text += fmt::format("input {} {}: ", i, input.shape);
    if (!input.differentiable) {
      text += "constant\n";
      continue;
    }
    const bool clean = input.mismatches == 0 && input.nans == 0 && input.kinks == 0;
    text += clean
                ? std::string("ok")
                : fmt::format("{} mismatched, {} on a kink, {} not finite", input.mismatches, input.kinks, input.nans);
    if (input.worst_index >= 0)
      text += fmt::format("; worst at {}: analytic {:.9g}, numeric {:.9g}, {:.2g} of what is allowed",
                          position(input.shape, input.worst_index), input.worst_analytic, input.worst_numeric,
                          input.worst_ratio);
    text += '\n';
    for (const GradcheckElement& element : input.elements)
      text += fmt::format("  {}: {}; analytic {:.9g}, numeric {:.9g}\n", position(input.shape, element.index),
                          name_of(element.verdict), element.analytic, element.numeric);
  }
  return text;
}

}  // namespace plumb
