#pragma once

#include <string>
#include <vector>

#include "engine/io/json.h"
#include "engine/io/safetensors.h"

// Reads the packed data of tests/golden. The build defines PLUMB_GOLDEN_DIR.

namespace plumb::test {

/// tests/golden/NAME: where the tree was when this was built, or in the folder that the environment's PLUMB_GOLDEN_DIR
/// names; test programs are carried to other machines.
std::string golden_path(const std::string& name);

/// One folder of golden data.
class Golden {
 public:
  explicit Golden(const std::string& folder);

  /// Every entry.
  const std::vector<Json>& cases() const { return header_.at("cases").as_array(); }
  /// Entries of the given kind.
  std::vector<Json> cases(const std::string& kind) const;
  /// The tensor CASE.WHAT; throws IoError when there is none.
  Tensor tensor(const Json& entry, const std::string& what) const;
  /// Tensors whose name begins with `prefix`, under what follows it.
  TensorMap tensors(const std::string& prefix) const;

 private:
  Json header_;
  SafetensorsFile file_;
};

struct Tolerance {
  double absolute = 0, relative = 0;
};

/// "" when every element equals the expected one, is NaN as expected, or has |got - expected| <= absolute + relative *
/// |expected|; a sentence with the worst element and its index otherwise. Shapes and dtypes must agree.
std::string disagreement(const Tensor& got, const Tensor& expected, Tolerance tolerance);

/// The same for named outputs with a {"NAME": [absolute, relative]} of a golden entry, one sentence an output. Each
/// expected one must be there; `more`: others may be, too.
std::string disagreement(const TensorMap& got, const TensorMap& expected, const Json& tolerances, bool more);

}  // namespace plumb::test
