#include "nn/clip/clip_options.h"

#include <algorithm>
#include <string_view>
#include <type_traits>

#include "engine/format.h"
#include "engine/require.h"
#include "nn/config_fields.h"

namespace plumb {
namespace {

constexpr const char* kText = "CLIPTextModel";
constexpr const char* kVision = "CLIPVisionModel";

/// What transformers writes into the configuration of every model; CLIP's encoders read none of it.
constexpr std::string_view kGeneral[] = {
    "architectures", "model_type", "torch_dtype", "dtype", "transformers_version",
    // outputs and memory
    "return_dict", "output_hidden_states", "output_attentions", "torchscript", "use_bfloat16", "use_cache",
    "tf_legacy_loss", "tie_word_embeddings", "tie_encoder_decoder", "gradient_checkpointing", "chunk_size_feed_forward",
    "is_encoder_decoder", "cross_attention_hidden_size",
    // generation of text
    "max_length", "min_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups", "diversity_penalty",
    "temperature", "top_k", "top_p", "typical_p", "repetition_penalty", "length_penalty", "no_repeat_ngram_size",
    "encoder_no_repeat_ngram_size", "bad_words_ids", "num_return_sequences", "output_scores", "return_dict_in_generate",
    "forced_bos_token_id", "forced_eos_token_id", "remove_invalid_values", "exponential_decay_length_penalty",
    "suppress_tokens", "begin_suppress_tokens", "sep_token_id", "decoder_start_token_id", "prefix", "tokenizer_class",
    // tasks
    "finetuning_task", "id2label", "label2id", "problem_type", "task_specific_params"};

/// Calls use(key, member) for every option.
template <class F>
void for_each_option(ClipTextOptions& o, F use) {
  use("vocab_size", o.vocab_size);
  use("hidden_size", o.hidden_size);
  use("intermediate_size", o.intermediate_size);
  use("projection_dim", o.projection_dim);
  use("num_hidden_layers", o.num_hidden_layers);
  use("num_attention_heads", o.num_attention_heads);
  use("max_position_embeddings", o.max_position_embeddings);
  use("hidden_act", o.hidden_act);
  use("layer_norm_eps", o.layer_norm_eps);
  use("initializer_range", o.initializer_range);
  use("initializer_factor", o.initializer_factor);
  use("pad_token_id", o.pad_token_id);
  use("bos_token_id", o.bos_token_id);
  use("eos_token_id", o.eos_token_id);
}

template <class F>
void for_each_option(ClipVisionOptions& o, F use) {
  use("hidden_size", o.hidden_size);
  use("intermediate_size", o.intermediate_size);
  use("projection_dim", o.projection_dim);
  use("num_hidden_layers", o.num_hidden_layers);
  use("num_attention_heads", o.num_attention_heads);
  use("num_channels", o.num_channels);
  use("image_size", o.image_size);
  use("patch_size", o.patch_size);
  use("hidden_act", o.hidden_act);
  use("layer_norm_eps", o.layer_norm_eps);
  use("initializer_range", o.initializer_range);
  use("initializer_factor", o.initializer_factor);
}

bool has_projection(const Json& config) {
  const Json* names = config.find("architectures");
  if (!names || !names->is_array()) return false;
  for (const Json& name : names->as_array())
    if (name.is_string() && name.as_string().ends_with("WithProjection")) return true;
  return false;
}

/// The part of a CLIPModel's configuration for one encoder, as a configuration of its own. Where there are a part and
/// the same with "_dict" behind its name, as in files of 2022, transformers lets the latter count.
Json part_of(const Json& config, const char* class_name, const std::string& part, const std::string& other) {
  for (const JsonMember& member : config.as_object()) {
    const std::string& key = member.key;
    const bool is_known = is_private_key(key) || key == part || key == other || key == part + "_dict" ||
                          key == other + "_dict" || key == "projection_dim" || key == "logit_scale_init_value" ||
                          key == "initializer_factor" ||
                          std::find(std::begin(kGeneral), std::end(kGeneral), key) != std::end(kGeneral);
    require<ValueError>(is_known, "CLIPModel config: unknown key \"{}\"", key);
  }
  const Json* found = config.find(part + "_dict");
  if (!found || found->is_null()) found = config.find(part);
  require<ValueError>(found != nullptr, "{} config: {} is missing", class_name, part);
  Json result = *found;
  if (const Json* features = config.find("projection_dim")) result.set("projection_dim", *features);
  return result;
}

template <class Options>
Options read_options(const char* class_name, const Json& given, const char* part, const char* other) {
  const bool whole = given.find(part) || given.find(other);
  Json config = whole ? part_of(given, class_name, part, other) : given;
  Options options;
  options.with_projection = whole || has_projection(config);
  for (const std::string_view key : kGeneral) config.erase(key);
  if (std::is_same_v<Options, ClipVisionOptions>)
    for (const char* key : {"bos_token_id", "eos_token_id", "pad_token_id"}) config.erase(key);
  // Dropout, pruned heads and decoders would change what training or the network computes.
  read_config(class_name, config,
              {{"attention_dropout", 0},
               {"dropout", 0},
               {"pruned_heads", Json::object()},
               {"is_decoder", false},
               {"use_attention_mask", false},
               {"add_cross_attention", false}},
              options, [](auto& o, auto use) { for_each_option(o, use); });
  return options;
}

template <class Options>
Json write_options(const char* class_name, const char* model_type, const Options& options) {
  Json config = write_config(class_name, options, [](auto& o, auto use) { for_each_option(o, use); });
  config.erase("_class_name");  // of diffusers
  // transformers checks types: it takes 1.0 where it has a float, and refuses 1.
  for (const char* key : {"layer_norm_eps", "initializer_range", "initializer_factor"})
    config.set(key, Json(config.at(key).as_number()));
  Json architectures = Json::array();
  architectures.push_back(std::string(class_name) + (options.with_projection ? "WithProjection" : ""));
  config.set("architectures", architectures).set("model_type", model_type);
  return config;
}

void check_positive(const char* class_name, const char* key, int64_t value) {
  require<ValueError>(value >= 1, "{}: {} must be at least 1 ({})", class_name, key, value);
}

/// What both encoders have.
template <class Options>
void check_common(const char* class_name, const Options& o) {
  check_positive(class_name, "hidden_size", o.hidden_size);
  check_positive(class_name, "intermediate_size", o.intermediate_size);
  check_positive(class_name, "projection_dim", o.projection_dim);
  check_positive(class_name, "num_hidden_layers", o.num_hidden_layers);
  check_positive(class_name, "num_attention_heads", o.num_attention_heads);
  require<ValueError>(o.hidden_size % o.num_attention_heads == 0,
                      "{}: hidden_size must be a multiple of num_attention_heads ({}, {} heads)", class_name,
                      o.hidden_size, o.num_attention_heads);
  require<ValueError>(o.hidden_act == "quick_gelu" || o.hidden_act == "gelu",
                      "{}: hidden_act must be \"quick_gelu\" or \"gelu\" (\"{}\")", class_name, o.hidden_act);
  require<ValueError>(o.layer_norm_eps > 0, "{}: layer_norm_eps must be positive ({})", class_name, o.layer_norm_eps);
}

}  // namespace

void ClipTextOptions::check() const {
  check_common(kText, *this);
  check_positive(kText, "vocab_size", vocab_size);
  check_positive(kText, "max_position_embeddings", max_position_embeddings);
  require<ValueError>(eos_token_id.has_value(), "{}: eos_token_id must be set", kText);
}

void ClipVisionOptions::check() const {
  check_common(kVision, *this);
  check_positive(kVision, "num_channels", num_channels);
  check_positive(kVision, "patch_size", patch_size);
  require<ValueError>(image_size >= patch_size, "{}: image_size must be at least patch_size ({}, {})", kVision,
                      image_size, patch_size);
}

ClipTextOptions clip_text_options(const Json& config) {
  return read_options<ClipTextOptions>(kText, config, "text_config", "vision_config");
}

ClipVisionOptions clip_vision_options(const Json& config) {
  return read_options<ClipVisionOptions>(kVision, config, "vision_config", "text_config");
}

Json config_of(const ClipTextOptions& options) { return write_options(kText, "clip_text_model", options); }

Json config_of(const ClipVisionOptions& options) { return write_options(kVision, "clip_vision_model", options); }

}  // namespace plumb
