#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/random/random_key.h"
#include "engine/tensor.h"

namespace plumb {

/// Where the values of an input lie. Each op gets inputs inside its domain and away from its kinks, because on a kink
/// no difference quotient proves anything.
enum class Values {
  any,       ///< uniform in [-2, 2]
  positive,  ///< uniform in [0.3, 2.3]
  nonzero,   ///< magnitude in [0.4, 2], either sign
  small,     ///< uniform in [-0.8, 0.8]
  off_grid,  ///< in [-2.5, 2.5], at least 0.05 away from every multiple of 1/2
  on_grid,   ///< multiples of 1/2 in [-2, 2]
  distinct,  ///< a random order of values 0.1 apart
  index,     ///< i64 in [0, limit)
  mask,      ///< bool
};

struct InputSpec {
  Values values = Values::any;
  Shape shape = {};
  int64_t limit = 1;  ///< of index
};

/// One case of the check: inputs and attributes as `plumb op` takes them.
struct OpCase {
  std::string_view op;
  std::vector<InputSpec> inputs;
  std::string_view attributes = "";  ///< JSON object, or empty
};

// One list a family.
std::vector<OpCase> elementwise_cases();
std::vector<OpCase> reduce_cases();
std::vector<OpCase> tensor_cases();

/// The cases of an op; empty when it has none.
std::vector<OpCase> cases_of(std::string_view op);

/// Whether the op gives integers or truth values, which have no gradient.
bool has_no_gradient(std::string_view op);

/// f64 (or i64, bool) values of a spec; a pure function of key and spec.
Tensor make_input(const InputSpec& spec, const RandomKey& key);

}  // namespace plumb
