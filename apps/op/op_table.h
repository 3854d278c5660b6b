#pragma once

#include <string_view>
#include <vector>

#include "apps/op/op_call.h"

namespace plumb {

/// One op of the conformance contract.
struct OpEntry {
  std::string_view name;
  std::string_view signature;  // shown by `plumb op --list`; torch's argument order
  Variable (*run)(OpCall& call);
};

// One list a family, each in its own file.
std::vector<OpEntry> attention_ops();
std::vector<OpEntry> elementwise_ops();
std::vector<OpEntry> reduce_ops();
std::vector<OpEntry> linalg_ops();
std::vector<OpEntry> layout_ops();
std::vector<OpEntry> index_ops();
std::vector<OpEntry> resize_ops();
std::vector<OpEntry> image_ops();

/// All of them, sorted by name.
const std::vector<OpEntry>& op_table();

/// Throws UsageError naming the nearest op.
const OpEntry& find_op(std::string_view name);

}  // namespace plumb
