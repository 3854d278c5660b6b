#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nn/parameter.h"

namespace plumb {

class AdapterList;
class ModuleVisitor;

/// Base of everything with weights. A module has members (Parameters, Modules), names them once in visit(), and an
/// ordinary forward() with whatever signature is natural. Parameters, state dict, freezing, dtype changes, adapters and
/// summaries are visitors (nn/visitors.h, nn/state_dict.h).
///
/// Derive from Layer<Self>, not from Module. Constructors take sizes, options and an Init (nn/init.h):
///
///   class Block final : public Layer<Block> {
///    public:
///     Block(int64_t features, Init init) : norm_(features, init), proj_(features, features, init) {}
///     explicit Block(const Block&) = default;  // deep, see clone()
///     Variable forward(const Variable& x) const { return proj_.forward(norm_.forward(x)); }
///     void visit(ModuleVisitor& visitor) override { visitor("norm", norm_), visitor("proj", proj_); }
///    private:
///     LayerNorm norm_;
///     Linear proj_;
///   };
class Module {
 public:
  virtual ~Module() = default;
  Module& operator=(const Module&) = delete;

  /// Shows every parameter and direct child to the visitor under its name, in a fixed order.
  virtual void visit(ModuleVisitor& visitor) = 0;
  /// See clone().
  virtual std::unique_ptr<Module> clone_module() const = 0;

 protected:
  Module() = default;
  Module(const Module&) = default;
  Module(Module&&) = default;
};

/// Gives `Self` its polymorphic clone. Insists that the copy constructor is explicit, so that no module is ever copied
/// by accident (by value arguments, `=`), while enclosing modules copy their members with the compiler's own code.
template <class Self>
class Layer : public Module {
 public:
  std::unique_ptr<Module> clone_module() const override {
    static_assert(!std::is_convertible_v<const Self&, Self>, "declare `explicit Self(const Self&) = default;`");
    return std::make_unique<Self>(static_cast<const Self&>(*this));
  }
};

/// A deep copy: fresh values, masters, adapters, same frozen flags, active adapters and options, no gradients.
/// Done member by member by copy constructors (Parameter's is deep, ModuleList clones its elements) and not by building
/// a second module and copying the named parameters over: members that are not parameters cannot be forgotten, no
/// constructor arguments need to be remembered, and nothing is initialised twice. One parameter held by two modules
/// becomes two.
template <class M>
std::unique_ptr<M> clone(const M& module) {
  return std::unique_ptr<M>(static_cast<M*>(module.clone_module().release()));
}

/// Walks a module tree and keeps the dotted path ("mid_block.attentions.0.to_q.weight"). Override what interests you;
/// begin with `module.visit(visitor)` or a function of nn/visitors.h.
class ModuleVisitor {
 public:
  virtual ~ModuleVisitor() = default;

  /// Called from Module::visit. Absent parameters are passed over.
  void operator()(std::string_view name, Parameter& parameter);
  void operator()(std::string_view name, Module& module);
  /// Children "name.0", "name.1", … (any container of unique_ptr<Module-derived>; null entries keep their number).
  template <class M>
  void operator()(std::string_view name, std::vector<std::unique_ptr<M>>& list) {
    const Scope scope(*this, name);
    for (size_t i = 0; i < list.size(); ++i)
      if (list[i]) (*this)(std::to_string(i), *list[i]);
  }
  void operator()(AdapterList& adapters);

 protected:
  /// Dotted name of what is being visited.
  const std::string& path() const { return path_; }

  virtual void on_parameter(Parameter&) {}
  /// Default: visits the children.
  virtual void on_module(Module& module) { module.visit(*this); }
  /// Default: passes over them, since adapters are no part of the base weights.
  virtual void on_adapters(AdapterList&) {}

  /// Appends a name to the path for its lifetime.
  class Scope {
   public:
    Scope(ModuleVisitor& visitor, std::string_view name);
    ~Scope() { visitor_.path_.resize(length_); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    ModuleVisitor& visitor_;
    size_t length_;
  };

 private:
  std::string path_;
};

/// Owned modules of one base type with a deep copy; for lists of blocks.
template <class M>
class ModuleList : public std::vector<std::unique_ptr<M>> {
 public:
  ModuleList() = default;
  explicit ModuleList(const ModuleList& other) : std::vector<std::unique_ptr<M>>() {
    for (const auto& module : other) this->push_back(module ? clone(*module) : nullptr);
  }
  ModuleList(ModuleList&&) noexcept = default;
  ModuleList& operator=(ModuleList&&) noexcept = default;
};

}  // namespace plumb
