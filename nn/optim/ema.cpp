#include "nn/optim/ema.h"

#include "engine/format.h"
#include "engine/ops/optim/flat.h"
#include "engine/require.h"

namespace plumb {
namespace {

/// The dense memory of a parameter as a flat tensor.
Tensor flat(const Tensor& x) { return x.view_as({x.numel()}, {1}, x.offset()); }

}  // namespace

Ema::Ema(const ParameterList& parameters, const EmaOptions& options) : parameters_(parameters), options_(options) {
  require<ValueError>(!parameters.empty(), "EMA: there must be parameters to average (0)");
  require<ValueError>(options.decay >= 0 && options.decay <= 1 && options.min_decay >= 0 && options.min_decay <= 1,
                      "EMA: decay and min_decay must be in [0, 1] ({}, {})", options.decay, options.min_decay);
  require<ValueError>(options.inv_gamma > 0, "EMA: inv_gamma must be positive ({})", options.inv_gamma);
  const Device device = parameters.front().parameter->value().device();
  decay_ = scalar(0, DType::f64, device);
  steps_ = scalar(0, DType::i64, device);
  for (const NamedParameter& named : parameters) {
    const Tensor& weight = named.parameter->weight();
    Tensor shadow = empty_like(weight);
    shadow.copy_(weight);
    shadows_.push_back(std::move(shadow));
  }
}

void Ema::update(const Tensor& skip) {
  require<Error>(!swapped_, "EMA: weights and averages are swapped; swap back before update");
  advance_ema(steps_, decay_, skip, options_);
  for (size_t i = 0; i < shadows_.size(); ++i) {
    const Parameter& parameter = *parameters_[i].parameter;
    if (!parameter.requires_grad()) {
      shadows_[i].copy_(parameter.weight());
      continue;
    }
    Tensor shadow = flat(shadows_[i]);
    ema_step(shadow, flat(parameter.weight()), decay_);
  }
}

void Ema::swap() {
  for (size_t i = 0; i < shadows_.size(); ++i) {
    Parameter& parameter = *parameters_[i].parameter;
    const Tensor weight = parameter.weight().clone();
    parameter.assign(shadows_[i]);
    shadows_[i].copy_(weight);
  }
  swapped_ = !swapped_;
}

void Ema::copy_to_weights() {
  for (size_t i = 0; i < shadows_.size(); ++i) parameters_[i].parameter->assign(shadows_[i]);
}

StateDict Ema::state_dict() const {
  StateDict state{{"ema.step", steps_}};
  for (size_t i = 0; i < shadows_.size(); ++i) state.push_back({parameters_[i].name, shadows_[i]});
  return state;
}

void Ema::load_state_dict(const StateDict& state) { load_tensors("EMA state", state_dict(), state); }

}  // namespace plumb
