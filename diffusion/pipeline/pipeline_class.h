#pragma once

#include <span>
#include <string>
#include <string_view>

namespace plumb {

/// What a class of pipelines is made of, as its model_index.json lists it.
struct PipelineClass {
  std::string_view name;
  /// Name of the autoencoder's component; empty without one.
  std::string_view vae;
  int text_encoders = 0;
  /// Whether a folder may leave the text encoders out (null in the index).
  bool optional_text = false;
};

/// The classes that can be read and written.
std::span<const PipelineClass> pipeline_classes();
/// Throws ValueError listing the known ones. `source` names the file.
const PipelineClass& pipeline_class(std::string_view name, const std::string& source);

}  // namespace plumb
