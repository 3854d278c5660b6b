#pragma once

#include <memory>
#include <utility>

#include "autograd/checkpoint.h"
#include "nn/adapter.h"

namespace plumb {

/// checkpoint() (autograd/checkpoint.h) around a part of a network: `function` may read the weights of `module` and its
/// adapters. The adapters that are active now are active again while the part is recomputed, whatever AdapterScope
/// backward runs under: a student's block must not be recomputed as the reference. `module` must live until backward.
/// Weights get gradients even when no input needs one.
template <class F, class... Inputs>
Variable checkpoint_module(Module& module, F function, const Inputs&... inputs) {
  if (!grad_enabled()) return function(Variable(inputs)...);
  struct Restore {
    explicit Restore(const ActiveAdapters& choice) : active(choice) { active.swap(); }
    ~Restore() { active.swap(); }
    ActiveAdapters active;
  };
  const auto choice = std::make_shared<const ActiveAdapters>(module);
  return checkpoint(
      CheckpointOptions{.captures_leaves = true},
      [choice, function = std::move(function)](const auto&... variables) {
        const Restore restore(*choice);
        return function(variables...);
      },
      inputs...);
}

}  // namespace plumb
