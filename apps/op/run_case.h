#pragma once

#include "apps/op/op_table.h"
#include "engine/io/safetensors.h"

namespace plumb {

/// One case of the verb `op`: inputs 0, 1, … (and the upstream gradient g0) in, out0 out; with_grad: also gradI of
/// every floating input I, in its dtype. attributes: a JSON object, or null for none. Throws ValueError for inputs or
/// attributes that the op lacks or does not know, and whatever the op throws. It runs on `device`; results are on the
/// CPU.
TensorMap run_op_case(const OpEntry& op, const Json* attributes, bool with_grad, const TensorMap& given,
                      Device device = kCpu);

/// The same for an entry {"op", "attrs", "grad"} of a cases.json. Throws UsageError for an unknown op.
TensorMap run_op_entry(const Json& entry, const TensorMap& given, Device device = kCpu);

}  // namespace plumb
