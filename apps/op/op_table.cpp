#include "apps/op/op_table.h"

#include <algorithm>

#include "apps/common/exit_codes.h"
#include "apps/common/nearest.h"
#include "engine/format.h"
#include "engine/require.h"

namespace plumb {

const std::vector<OpEntry>& op_table() {
  static const std::vector<OpEntry> table = [] {
    std::vector<OpEntry> all;
    for (auto family :
         {attention_ops, elementwise_ops, reduce_ops, linalg_ops, layout_ops, index_ops, resize_ops, image_ops}) {
      const std::vector<OpEntry> entries = family();
      all.insert(all.end(), entries.begin(), entries.end());
    }
    std::sort(all.begin(), all.end(), [](const OpEntry& a, const OpEntry& b) { return a.name < b.name; });
    return all;
  }();
  return table;
}

const OpEntry& find_op(std::string_view name) {
  std::vector<std::string> names;
  for (const OpEntry& entry : op_table()) {
    if (entry.name == name) return entry;
    names.emplace_back(entry.name);
  }
  const std::string near = nearest(name, names);
  raise<UsageError>("unknown op {}; {}", name, near.empty() ? "see plumb op --list" : "did you mean " + near + "?");
}

}  // namespace plumb
