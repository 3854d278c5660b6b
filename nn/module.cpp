#include "nn/module.h"

namespace plumb {

ModuleVisitor::Scope::Scope(ModuleVisitor& visitor, std::string_view name)
    : visitor_(visitor), length_(visitor.path_.size()) {
  if (length_ > 0) visitor.path_ += '.';
  visitor.path_ += name;
}

void ModuleVisitor::operator()(std::string_view name, Parameter& parameter) {
  if (!parameter.defined()) return;
  const Scope scope(*this, name);
  on_parameter(parameter);
}

void ModuleVisitor::operator()(std::string_view name, Module& module) {
  const Scope scope(*this, name);
  on_module(module);
}

void ModuleVisitor::operator()(AdapterList& adapters) { on_adapters(adapters); }

}  // namespace plumb
