#include "apps/op/op_table.h"
#include "autograd/ops.h"
#include "engine/ops.h"
#include "engine/require.h"

namespace plumb {
namespace {

template <Variable (*F)(const Variable&, const Dims&, bool)>
Variable reduce(OpCall& call) {
  const Dims dims = call.dims("dim", Dims{});
  return F(call.input(0), dims, call.flag("keepdim", false));
}

template <Tensor (*F)(const Tensor&, const Dims&, bool)>
Variable reduce_flags(OpCall& call) {
  const Dims dims = call.dims("dim", Dims{});
  return F(call.input(0).value(), dims, call.flag("keepdim", false));
}

template <Variable (*F)(const Variable&, const Dims&, double, bool)>
Variable reduce_moment(OpCall& call) {
  const Dims dims = call.dims("dim", Dims{});
  const double correction = call.number("correction", 1);
  return F(call.input(0), dims, correction, call.flag("keepdim", false));
}

template <Tensor (*F)(const Tensor&, std::optional<int64_t>, bool)>
Variable arg_reduce(OpCall& call) {
  std::optional<int64_t> dim;
  if (call.has("dim")) dim = call.integer("dim");
  const bool keepdim = call.flag("keepdim", false);
  return F(call.input(0).value(), dim, keepdim);
}

Variable run_cumsum(OpCall& call) { return cumsum(call.input(0), call.integer("dim")); }
Variable run_softmax(OpCall& call) { return softmax(call.input(0), call.integer("dim", -1)); }
Variable run_log_softmax(OpCall& call) { return log_softmax(call.input(0), call.integer("dim", -1)); }

Variable run_layer_norm(OpCall& call) {
  const Dims shape = call.dims("normalized_shape", Dims{call.input(0).size(-1)});
  return layer_norm(call.input(0), shape, call.optional_input(1), call.optional_input(2), call.number("eps", 1e-5));
}

Reduction read_loss_reduction(OpCall& call) {
  const std::string name = call.text("reduction", "mean");
  if (name == "none") return Reduction::none;
  if (name == "sum") return Reduction::sum;
  require<ValueError>(name == "mean", "mse: reduction must be mean, sum or none ({})", name);
  return Reduction::mean;
}

/// In the inputs' dtype, as torch's; the op itself answers in f32 for 16-bit input.
Variable run_mse(OpCall& call) {
  return to(mse(call.input(0), call.input(1), read_loss_reduction(call)), call.input(0).dtype());
}

Variable run_sample_error(OpCall& call) {
  return sample_error(call.input(0), call.input(1), read_loss_reduction(call));
}

Variable run_error_gain(OpCall& call) {
  return error_gain(call.input(0), call.input(1), call.input(2), read_loss_reduction(call));
}

}  // namespace

std::vector<OpEntry> reduce_ops() {
  return {
      {"all", "all(x; dim=[], keepdim=False)", reduce_flags<all>},
      {"any", "any(x; dim=[], keepdim=False)", reduce_flags<any>},
      {"argmax", "argmax(x; dim=None, keepdim=False)", arg_reduce<argmax>},
      {"argmin", "argmin(x; dim=None, keepdim=False)", arg_reduce<argmin>},
      {"cumsum", "cumsum(x; dim)", run_cumsum},
      {"error_gain", "error_gain(input, ref, target; reduction='mean'|'sum')", run_error_gain},
      {"layer_norm", "layer_norm(x, weight?, bias?; normalized_shape=[last], eps=1e-5)", run_layer_norm},
      {"log_softmax", "log_softmax(x; dim=-1)", run_log_softmax},
      {"logsumexp", "logsumexp(x; dim=[], keepdim=False)", reduce<logsumexp>},
      {"max", "max(x; dim=[], keepdim=False)", reduce<max>},
      {"mean", "mean(x; dim=[], keepdim=False)", reduce<mean>},
      {"min", "min(x; dim=[], keepdim=False)", reduce<min>},
      {"mse", "mse(input, target; reduction='mean'|'sum'|'none')", run_mse},
      {"prod", "prod(x; dim=[], keepdim=False)", reduce<prod>},
      {"sample_error", "sample_error(input, target; reduction='mean'|'sum')", run_sample_error},
      {"softmax", "softmax(x; dim=-1)", run_softmax},
      {"std", "std(x; dim=[], correction=1, keepdim=False)", reduce_moment<stddev>},
      {"sum", "sum(x; dim=[], keepdim=False)", reduce<sum>},
      {"var", "var(x; dim=[], correction=1, keepdim=False)", reduce_moment<var>},
  };
}

}  // namespace plumb
