#include "nn/visitors.h"

#include "engine/format.h"
#include "engine/require.h"
#include "nn/adapter.h"

namespace plumb {
namespace {

class CollectParameters : public ModuleVisitor {
 public:
  explicit CollectParameters(Include include) : include_(include) {}
  ParameterList list;

 protected:
  void on_parameter(Parameter& parameter) override {
    if (include_ != Include::adapters || inside_adapter_) list.push_back({path(), &parameter});
  }
  void on_adapters(AdapterList& adapters) override {
    if (include_ == Include::base) return;
    inside_adapter_ = true;
    const Scope scope(*this, "adapters");
    for (int i = 0; i < adapters.size(); ++i) {
      const Scope name(*this, adapters[i].name);
      (*this)("down", adapters[i].down);
      (*this)("up", adapters[i].up);
    }
    inside_adapter_ = false;
  }

 private:
  Include include_;
  bool inside_adapter_ = false;
};

}  // namespace

ParameterList parameters(Module& module, Include include) {
  CollectParameters collect(include);
  module.visit(collect);
  return std::move(collect.list);
}

ParameterList trainable(const ParameterList& parameters) {
  ParameterList kept;
  for (const NamedParameter& named : parameters)
    if (named.parameter->requires_grad()) kept.push_back(named);
  return kept;
}

Device device_of(Module& module) {
  const ParameterList all = parameters(module);
  return all.empty() ? kCpu : all.front().parameter->device();
}

int64_t count(const ParameterList& parameters) {
  int64_t total = 0;
  for (const NamedParameter& named : parameters) total += named.parameter->numel();
  return total;
}

void zero_grad(const ParameterList& parameters) {
  for (const NamedParameter& named : parameters) named.parameter->zero_grad();
}

void zero_grad(Module& module) { zero_grad(parameters(module)); }

void set_requires_grad(const ParameterList& parameters, bool required) {
  for (const NamedParameter& named : parameters) named.parameter->set_requires_grad(required);
}

void set_requires_grad(Module& module, bool required, Include include) {
  set_requires_grad(parameters(module, include), required);
}

void train_adapter_only(Module& module, std::string_view name) {
  const std::string mark = "adapters." + std::string(name) + ".";
  bool found = false;
  for (const NamedParameter& named : parameters(module)) {
    const size_t at = named.name.rfind(mark);
    const bool wanted = at != std::string::npos && (at == 0 || named.name[at - 1] == '.');
    named.parameter->set_requires_grad(wanted);
    found |= wanted;
  }
  require<ValueError>(found, "train_adapter_only: no layer has an adapter of this name ({})", name);
}

void to_dtype(Module& module, DType dtype, bool keep_master) {
  require<DTypeError>(is_floating(dtype), "to_dtype: parameters need a floating type ({})", dtype);
  for (const NamedParameter& named : parameters(module)) named.parameter->to_dtype(dtype, keep_master);
}

void to_device(Module& module, Device device) {
  for (const NamedParameter& named : parameters(module)) named.parameter->to_device(device);
}

}  // namespace plumb
