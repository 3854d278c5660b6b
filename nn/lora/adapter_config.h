#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/json.h"
#include "nn/module.h"

namespace plumb {

/// What PEFT's adapter_config.json says of an adapter: its shape, which the tensors of the PEFT format alone do not
/// tell.
struct AdapterConfig {
  int64_t rank = 0;
  double alpha = 0;
  /// Layers of another rank or alpha, by dotted path.
  std::map<std::string, int64_t> rank_pattern = {};
  std::map<std::string, double> alpha_pattern = {};
  /// Dotted paths or their ends ("to_q").
  std::vector<std::string> target_modules = {};

  int64_t rank_of(const std::string& path) const;
  double alpha_of(const std::string& path) const;
  /// Whether the adapter covers the layer `path`.
  bool targets(const std::string& path) const;
};

/// Of an adapter in a module; the most frequent rank is `rank`, its layers' most frequent alpha `alpha`. Throws
/// ValueError when no layer has the name.
AdapterConfig adapter_config(Module& module, std::string_view name);

/// The fields PEFT's LoraConfig knows: peft_type, r, lora_alpha, target_modules (full paths), rank_pattern,
/// alpha_pattern, and the defaults of what else decides the result (bias, use_dora, use_rslora, …).
Json to_json(const AdapterConfig& config);

/// Reads those fields; others are passed over. `source` names the file in messages. Throws ValueError for a missing or
/// ill-typed field, a peft_type other than LORA, and for what this library does not compute: use_rslora, use_dora,
/// fan_in_fan_out, a trained bias, target_modules given as a regular expression.
AdapterConfig adapter_config_from_json(const Json& json, const std::string& source);

}  // namespace plumb
