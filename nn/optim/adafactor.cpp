#include "nn/optim/adafactor.h"

#include <limits>

#include "engine/format.h"
#include "engine/ops.h"
#include "engine/ops/optim/flat.h"
#include "engine/require.h"

namespace plumb {
namespace {

AdafactorSettings checked(const AdafactorSettings& s) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  check_setting("Adafactor", "beta1", s.beta1, 0, 1);
  check_setting("Adafactor", "epsilon", s.epsilon, 0, kInfinity);
  check_setting("Adafactor", "epsilon_scale", s.epsilon_scale, 0, kInfinity);
  check_setting("Adafactor", "weight_decay", s.weight_decay, 0, kInfinity);
  require<ValueError>(s.decay_rate < 0, "Adafactor: decay_rate must be negative ({})", s.decay_rate);
  require<ValueError>(s.clip_threshold > 0, "Adafactor: clip_threshold must be positive ({})", s.clip_threshold);
  return s;
}

Tensor piece(const Tensor& flat, const Shape& shape, int64_t offset) {
  return flat.view_as(shape, contiguous_strides(shape), offset);
}

/// to <- from, unless `skip` is there and true. No value is read by the host.
void put(Tensor& to, const Tensor& from, const Tensor& skip) {
  to.copy_(skip.defined() ? where(skip, to, from.to(to.dtype())) : from);
}

/// Root of the mean of squares: f64, 0-d.
Tensor rms(const Tensor& x) {
  Tensor total = scalar(0, DType::f64, x.device());
  add_sum_of_squares_(total, x);
  return root_of(total / double(x.numel()));
}

/// A state as the parameter's shape without dimension `dim` names it, whatever the order in memory.
Tensor state_view(const Tensor& state, const Shape& shape, int64_t dim) {
  Shape reduced = shape;
  reduced.erase(dim);
  // [out, rows, columns, in] with one of rows and columns 1, to [out, in, rows, columns].
  const Tensor ordered = state.rank() == 4 ? permute(state, {0, 3, 1, 2}) : state;
  return state.rank() == 4 ? squeeze(ordered, {dim}) : reshape(ordered, reduced);
}

int64_t bytes_of(const Shape& shape, DType dtype, const AdafactorSettings& settings) {
  const int64_t size = numel(shape);
  int64_t elements = settings.beta1 > 0 ? size : 0;
  if (shape.rank() < 2 || size == 0)
    elements += size;
  else
    elements += size / shape.back() + size / shape.back(1);
  return elements * int64_t(size_of(acc_dtype(dtype)));
}

}  // namespace

Adafactor::Adafactor(const ParameterList& parameters, const AdafactorSettings& settings)
    : Optimizer(parameters, settings.learning_rate), settings_(checked(settings)) {
  for (const ParameterArena::Group& group : arena().groups()) {
    std::vector<Part>& parts = parts_.emplace_back();
    for (size_t i = 0; i < group.parameters.size(); ++i) parts.push_back(part_of(group, i));
  }
}

Adafactor::Part Adafactor::part_of(const ParameterArena::Group& group, size_t i) const {
  const Shape& shape = group.parameters[i].parameter->shape();
  const DType dtype = group.grads.dtype();
  const Device device = group.grads.device();
  Part part;
  part.offset = group.offsets[i];
  const int64_t size = group.parameters[i].parameter->numel();
  if (shape.rank() < 2) {
    part.shape = {size};
    part.whole = zeros(part.shape, dtype, device);
  } else {
    const int64_t rows = shape.back(1), columns = shape.back();
    const bool is_channels_last = !ParameterArena::view(group, i, group.grads).is_contiguous();
    part.shape = is_channels_last ? Shape{shape[0], rows, columns, shape[1]}
                                  : Shape{size == 0 ? 0 : size / (rows * columns), rows, columns};
    Shape of_rows = part.shape, of_columns = part.shape;
    of_rows[2] = of_columns[1] = 1;
    part.rows = zeros(of_rows, dtype, device);
    part.columns = zeros(of_columns, dtype, device);
  }
  if (settings_.beta1 > 0) part.mean = zeros(part.shape, dtype, device);
  return part;
}

int64_t Adafactor::state_bytes(const ParameterList& parameters, const AdafactorSettings& settings) {
  int64_t bytes = 0;
  for (const NamedParameter& each : parameters)
    bytes += bytes_of(each.parameter->shape(), each.parameter->dtype(), settings);
  return bytes;
}

void Adafactor::update_weights(const StepControl& control) {
  const Tensor added = pow(control.step, settings_.decay_rate);
  for (size_t g = 0; g < arena().groups().size(); ++g) {
    ParameterArena::Group& group = arena().groups()[g];
    const DType dtype = group.grads.dtype();
    const Shares shares{(1.0 - added).to(dtype), added.to(dtype)};
    size_t i = 0;
    for (const ParameterArena::Run& run : arena().runs_with_grad(group)) {
      while (group.offsets[i] < run.begin) ++i;
      for (; i < group.offsets.size() && group.offsets[i] < run.end; ++i)
        if (group.parameters[i].parameter->numel() > 0) update(group, parts_[g][i], control, shares);
    }
  }
}

Tensor Adafactor::normalised(const Tensor& grad, Part& part, const Shares& shares, const Tensor& skip) const {
  const Tensor squares = square(grad);
  if (part.whole.defined()) {
    const Tensor whole = part.whole * shares.kept + (squares + settings_.epsilon) * shares.added;
    put(part.whole, whole, skip);
    return grad * rsqrt(whole);
  }
  const Tensor rows = part.rows * shares.kept + (mean(squares, {2}, true) + settings_.epsilon) * shares.added;
  const Tensor columns = part.columns * shares.kept + (mean(squares, {1}, true) + settings_.epsilon) * shares.added;
  put(part.rows, rows, skip);
  put(part.columns, columns, skip);
  return grad * rsqrt(rows / mean(rows, {1}, true)) * rsqrt(columns);
}

void Adafactor::update(ParameterArena::Group& group, Part& part, const StepControl& control, const Shares& shares) {
  const DType dtype = group.grads.dtype();
  const Tensor direction = normalised(piece(group.grads, part.shape, part.offset), part, shares, control.skip);
  Tensor stored = piece(group.weights(), part.shape, part.offset);
  const Tensor weight = stored.to(dtype);
  Tensor rate = control.learning_rate;
  if (settings_.scale_parameter) rate = rate * maximum(rms(weight), settings_.epsilon_scale);
  Tensor change = direction * (rate / maximum(rms(direction) / settings_.clip_threshold, 1.0)).to(dtype);
  if (part.mean.defined()) {
    change = part.mean * settings_.beta1 + change * (1 - settings_.beta1);
    put(part.mean, change, control.skip);
  }
  const Tensor shrunk = settings_.weight_decay > 0 ? weight * (1.0 - rate * settings_.weight_decay).to(dtype) : weight;
  put(stored, shrunk - change, control.skip);
  if (!group.masters.defined()) return;
  Tensor value = piece(group.values, part.shape, part.offset);
  value.copy_(stored);
}

StateDict Adafactor::states() const {
  StateDict state;
  const auto collect = [&](const char* name, auto&& view) {
    for (size_t g = 0; g < parts_.size(); ++g)
      for (size_t i = 0; i < parts_[g].size(); ++i) {
        const NamedParameter& named = arena().groups()[g].parameters[i];
        const Tensor found = view(parts_[g][i], named.parameter->shape());
        if (found.defined()) state.push_back({name + ("." + named.name), found});
      }
  };
  collect("exp_avg", [](const Part& part, const Shape& shape) {
    if (!part.mean.defined()) return Tensor();
    return part.mean.rank() == 4 ? permute(part.mean, {0, 3, 1, 2}) : reshape(part.mean, shape);
  });
  collect("exp_avg_sq_row", [](const Part& part, const Shape& shape) {
    return part.rows.defined() ? state_view(part.rows, shape, shape.rank() - 1) : Tensor();
  });
  collect("exp_avg_sq_col", [](const Part& part, const Shape& shape) {
    return part.columns.defined() ? state_view(part.columns, shape, shape.rank() - 2) : Tensor();
  });
  collect("exp_avg_sq", [](const Part& part, const Shape& shape) {
    return part.whole.defined() ? reshape(part.whole, shape) : Tensor();
  });
  return state;
}

}  // namespace plumb
