#include "nn/pretrained/ldm_shapes.h"

#include "engine/format.h"
#include "engine/require.h"

namespace plumb {

LdmShapes::LdmShapes(const StateDict& file, std::string_view prefix) : prefix_(prefix) {
  for (const NamedTensor& named : file)
    if (named.name.starts_with(prefix)) shapes_.emplace(named.name.substr(prefix.size()), named.tensor.shape());
}

bool LdmShapes::has_any(const std::string& start) const {
  const auto at = shapes_.lower_bound(start);
  return at != shapes_.end() && at->first.starts_with(start);
}

const Shape& LdmShapes::shape(const std::string& name, int64_t rank) const {
  const auto found = shapes_.find(name);
  require<ValueError>(found != shapes_.end(), "single file: tensor \"{}{}\" is missing", prefix_, name);
  require<ValueError>(found->second.rank() == rank && numel(found->second) > 0,
                      "single file: tensor \"{}{}\" must have {} dimensions ({})", prefix_, name, rank, found->second);
  return found->second;
}

int64_t LdmShapes::rank(const std::string& name) const {
  const auto found = shapes_.find(name);
  require<ValueError>(found != shapes_.end(), "single file: tensor \"{}{}\" is missing", prefix_, name);
  return found->second.rank();
}

int64_t LdmShapes::count(const std::string& start) const {
  int64_t n = 0;
  while (has_any(start + std::to_string(n) + ".")) ++n;
  return n;
}

}  // namespace plumb
