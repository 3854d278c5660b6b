#pragma once

#include <string>
#include <vector>

#include "engine/io/json.h"
#include "engine/io/safetensors.h"

// Reads the packed data of tests/golden. The build defines PLUMB_GOLDEN_DIR.

namespace plumb::test {

/// One folder of golden data.
class Golden {
 public:
  explicit Golden(const std::string& folder);

  /// Entries of the given kind.
  std::vector<Json> cases(const std::string& kind) const;
  /// The tensor CASE.WHAT; throws IoError when there is none.
  Tensor tensor(const Json& entry, const std::string& what) const;

 private:
  Json header_;
  SafetensorsFile file_;
};

}  // namespace plumb::test
