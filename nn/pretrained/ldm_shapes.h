#pragma once

#include <map>
#include <string>
#include <string_view>

#include "nn/state_dict.h"

namespace plumb {

/// Names and shapes below one prefix of a single file, to read a configuration from.
class LdmShapes {
 public:
  LdmShapes(const StateDict& file, std::string_view prefix);

  bool has(const std::string& name) const { return shapes_.count(name) > 0; }
  /// Whether any name begins so.
  bool has_any(const std::string& start) const;
  /// Throws ValueError when there is no such tensor, or it has not that many dimensions.
  const Shape& shape(const std::string& name, int64_t rank) const;
  /// Size of a dimension of a weight.
  int64_t size(const std::string& name, int64_t rank, int64_t dim) const { return shape(name, rank)[dim]; }
  int64_t rank(const std::string& name) const;
  /// How many of start + "0.", start + "1.", … there are without a gap.
  int64_t count(const std::string& start) const;

 private:
  std::string prefix_;
  std::map<std::string, Shape> shapes_;
};

}  // namespace plumb
