#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/variable.h"
#include "engine/io/json.h"

namespace plumb {

/// One conformance case on its way into an op: numbered inputs and attributes by torch's names. Reading an attribute
/// makes it known; finish() refuses the rest.
class OpCall {
 public:
  /// inputs: by number; undefined where the case has none. attributes: a JSON object, or null for none.
  OpCall(std::string op, std::vector<Variable> inputs, const Json* attributes);

  int count() const { return int(inputs_.size()); }
  /// Throws ValueError when the case lacks input i.
  const Variable& input(int i) const;
  /// Undefined when the case lacks input i.
  Variable optional_input(int i) const;
  const std::vector<Variable>& inputs() const { return inputs_; }

  bool has(std::string_view key) const;
  int64_t integer(std::string_view key, std::optional<int64_t> fallback = {});
  double number(std::string_view key, std::optional<double> fallback = {});
  bool flag(std::string_view key, bool fallback);
  std::string text(std::string_view key, std::string_view fallback);
  /// A list of integers, or one integer.
  Dims dims(std::string_view key, std::optional<Dims> fallback = {});

  /// Throws ValueError naming an attribute the op never read.
  void finish() const;

 private:
  /// Null when absent or JSON null. Throws ValueError when absent and `needed`.
  const Json* find(std::string_view key, bool needed);

  std::string op_;
  std::vector<Variable> inputs_;
  const Json* attributes_;
  std::vector<std::string> known_;
};

}  // namespace plumb
