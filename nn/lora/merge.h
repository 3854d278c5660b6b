#pragma once

#include <string_view>

#include "nn/module.h"

namespace plumb {

/// Adds the adapter `name` to the base weights of every layer that has it, and removes it:
///   W <- W + weight * (alpha / rank) * up down                                        W: [out, in, kernel…]
/// The sum is formed in f64 and rounded once, to the master where there is one. With weight = 1 the module then
/// computes what it did with the adapter active, to rounding; exactly the base when up is zero. Returns the number of
/// layers. Merging the same adapter again with the opposite weight takes it out, to rounding. Throws ValueError when no
/// layer has an adapter of this name, or the weight is not finite; nothing is changed then.
int merge_adapter(Module& module, std::string_view name, double weight = 1);

}  // namespace plumb
