#include "nn/pretrained/ldm_names.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "engine/format.h"
#include "engine/require.h"

namespace plumb {
namespace {

using Rename = std::pair<std::string_view, std::string_view>;  // folder's, single file's

[[noreturn]] void raise_unknown(std::string_view name) {
  raise<ValueError>("single file: there is no name for \"{}\" in files of Stable Diffusion", name);
}

/// `name` without `start`, if it begins with it.
std::optional<std::string_view> after(std::string_view name, std::string_view start) {
  if (!name.starts_with(start)) return std::nullopt;
  return name.substr(start.size());
}

/// Takes the number and the dot off the front of "12.rest". Throws ValueError.
int64_t take_number(std::string_view& rest, std::string_view whole) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  const size_t length = size_t(end - rest.data());
  constexpr int64_t kMost = 9999;  // names of a file must not make tables of any size
  const bool is_number = error == std::errc() && length < rest.size() && rest[length] == '.';
  if (!is_number || number < 0 || number > kMost) raise_unknown(whole);
  rest.remove_prefix(length + 1);
  return number;
}

/// Replaces a first part that `renames` knows ("norm1.weight", say); none when it knows none.
template <size_t N>
std::optional<std::string> replace_start(std::string_view name, const std::array<Rename, N>& renames) {
  for (const auto& [from, to] : renames)
    if (const auto rest = after(name, from); rest && (rest->empty() || rest->front() == '.'))
      return std::string(to) + std::string(*rest);
  return std::nullopt;
}

constexpr std::array<Rename, 9> kUnetEnds = {{{"conv_in", "input_blocks.0.0"},
                                              {"time_embedding.linear_1", "time_embed.0"},
                                              {"time_embedding.linear_2", "time_embed.2"},
                                              {"add_embedding.linear_1", "label_emb.0.0"},
                                              {"add_embedding.linear_2", "label_emb.0.2"},
                                              {"class_embedding.linear_1", "label_emb.0.0"},
                                              {"class_embedding.linear_2", "label_emb.0.2"},
                                              {"conv_norm_out", "out.0"},
                                              {"conv_out", "out.2"}}};
constexpr std::array<Rename, 6> kUnetResnet = {{{"norm1", "in_layers.0"},
                                                {"conv1", "in_layers.2"},
                                                {"time_emb_proj", "emb_layers.1"},
                                                {"norm2", "out_layers.0"},
                                                {"conv2", "out_layers.3"},
                                                {"conv_shortcut", "skip_connection"}}};
constexpr std::array<Rename, 1> kVaeResnet = {{{"conv_shortcut", "nin_shortcut"}}};
constexpr std::array<Rename, 5> kVaeAttention = {
    {{"group_norm", "norm"}, {"to_q", "q"}, {"to_k", "k"}, {"to_v", "v"}, {"to_out.0", "proj_out"}}};
constexpr std::array<Rename, 3> kOpenClipEnds = {
    {{"text_model.embeddings.token_embedding", "token_embedding"},
     {"text_model.final_layer_norm", "ln_final"},
     {"text_model.embeddings.position_embedding.weight", "positional_embedding"}}};
constexpr std::array<Rename, 5> kOpenClipLayer = {{{"layer_norm1", "ln_1"},
                                                   {"layer_norm2", "ln_2"},
                                                   {"mlp.fc1", "mlp.c_fc"},
                                                   {"mlp.fc2", "mlp.c_proj"},
                                                   {"self_attn.out_proj", "attn.out_proj"}}};

std::string unet_resnet(std::string_view rest, std::string_view whole) {
  const std::optional<std::string> name = replace_start(rest, kUnetResnet);
  if (!name) raise_unknown(whole);
  return *name;
}

LdmPlace vae_attention(const std::string& at, std::string_view rest, std::string_view whole) {
  const std::optional<std::string> name = replace_start(rest, kVaeAttention);
  if (!name) raise_unknown(whole);
  const bool is_matrix = rest.ends_with(".weight") && !rest.starts_with("group_norm");
  return {at + *name, is_matrix ? LdmLayout::pointwise : LdmLayout::same};
}

LdmPlace open_clip(std::string_view name) {
  if (name == "text_projection.weight") return {"text_projection", LdmLayout::transposed};
  if (const auto ends = replace_start(name, kOpenClipEnds)) return {*ends};
  auto rest = after(name, "text_model.encoder.layers.");
  if (!rest) raise_unknown(name);
  const std::string at = "transformer.resblocks." + std::to_string(take_number(*rest, name)) + ".";
  if (const auto layer = replace_start(*rest, kOpenClipLayer)) return {at + *layer};
  constexpr std::array<std::string_view, 3> kThirds = {"q_proj.", "k_proj.", "v_proj."};
  for (int third = 0; third < 3; ++third)
    if (const auto end = after(*rest, "self_attn." + std::string(kThirds[size_t(third)])))
      return {at + "attn.in_proj_" + std::string(*end), LdmLayout::third, third};
  raise_unknown(name);
}

/// The number after the first `start` in a name, if the name begins with it.
std::optional<int64_t> number_after(std::string_view name, std::string_view start) {
  auto rest = after(name, start);
  if (!rest) return std::nullopt;
  return take_number(*rest, name);
}

}  // namespace

LdmNames::LdmNames(LdmPart part, const std::vector<std::string>& names) : part_(part) {
  const auto raise_to = [](int64_t& count, std::optional<int64_t> index) {
    if (index) count = std::max(count, *index + 1);
  };
  int64_t ups = 0;
  for (const std::string& name : names) {
    raise_to(layers_, number_after(name, "down_blocks.0.resnets."));
    raise_to(levels_, number_after(name, "decoder.up_blocks."));
    raise_to(ups, number_after(name, "up_blocks."));
  }
  has_attention_.resize(size_t(ups));
  for (const std::string& name : names)
    if (const auto level = number_after(name, "up_blocks."); level && name.find(".attentions.") != name.npos)
      has_attention_[size_t(*level)] = true;
}

std::string LdmNames::unet_up(std::string_view name) const {
  std::string_view rest = name.substr(std::string_view("up_blocks.").size());
  const int64_t level = take_number(rest, name);
  const auto at = [&](int64_t j) { return "output_blocks." + std::to_string(level * (layers_ + 1) + j) + "."; };
  if (auto block = after(rest, "resnets.")) {
    const int64_t j = take_number(*block, name);
    return at(j) + "0." + unet_resnet(*block, name);
  }
  if (auto block = after(rest, "attentions.")) {
    const int64_t j = take_number(*block, name);
    return at(j) + "1." + std::string(*block);
  }
  // Behind the attention, where the level has one.
  if (const auto conv = after(rest, "upsamplers.0.conv."))
    return at(layers_) + (has_attention_.at(size_t(level)) ? "2.conv." : "1.conv.") + std::string(*conv);
  raise_unknown(name);
}

std::string LdmNames::unet(std::string_view name) const {
  if (const auto ends = replace_start(name, kUnetEnds)) return *ends;
  if (name == "class_embedding.weight") return "label_emb.weight";
  if (auto rest = after(name, "mid_block.resnets.")) {
    const int64_t j = take_number(*rest, name);
    return "middle_block." + std::to_string(2 * j) + "." + unet_resnet(*rest, name);
  }
  if (const auto rest = after(name, "mid_block.attentions.0.")) return "middle_block.1." + std::string(*rest);
  if (name.starts_with("up_blocks.")) return unet_up(name);
  auto rest = after(name, "down_blocks.");
  if (!rest) raise_unknown(name);
  const int64_t level = take_number(*rest, name);
  const auto at = [&](int64_t j) { return "input_blocks." + std::to_string(level * (layers_ + 1) + j + 1) + "."; };
  if (auto block = after(*rest, "resnets.")) {
    const int64_t j = take_number(*block, name);
    return at(j) + "0." + unet_resnet(*block, name);
  }
  if (auto block = after(*rest, "attentions.")) {
    const int64_t j = take_number(*block, name);
    return at(j) + "1." + std::string(*block);
  }
  if (const auto conv = after(*rest, "downsamplers.0.conv.")) return at(layers_) + "0.op." + std::string(*conv);
  raise_unknown(name);
}

LdmPlace LdmNames::vae(std::string_view name) const {
  if (name.starts_with("quant_conv.") || name.starts_with("post_quant_conv.")) return {std::string(name)};
  const size_t dot = name.find('.');
  const std::string side(name.substr(0, dot + 1));  // "encoder." or "decoder."
  std::string_view rest = name.substr(dot + 1);
  if (side != "encoder." && side != "decoder.") raise_unknown(name);
  if (rest.starts_with("conv_in.") || rest.starts_with("conv_out.")) return {std::string(name)};
  if (const auto norm = after(rest, "conv_norm_out.")) return {side + "norm_out." + std::string(*norm)};
  const auto resnet = [](std::string_view block) {
    return replace_start(block, kVaeResnet).value_or(std::string(block));
  };
  if (const auto block = after(rest, "mid_block.attentions.0."))
    return vae_attention(side + "mid.attn_1.", *block, name);
  if (auto block = after(rest, "mid_block.resnets.")) {
    const int64_t j = take_number(*block, name);
    return {side + "mid.block_" + std::to_string(j + 1) + "." + resnet(*block)};
  }
  const bool down = side == "encoder.";
  auto blocks = after(rest, down ? "down_blocks." : "up_blocks.");
  if (!blocks) raise_unknown(name);
  const int64_t i = take_number(*blocks, name);
  const std::string at = side + (down ? "down." : "up.") + std::to_string(down ? i : levels_ - 1 - i) + ".";
  if (auto block = after(*blocks, "resnets.")) {
    const int64_t j = take_number(*block, name);
    return {at + "block." + std::to_string(j) + "." + resnet(*block)};
  }
  if (const auto conv = after(*blocks, down ? "downsamplers.0." : "upsamplers.0."))
    return {at + (down ? "downsample." : "upsample.") + std::string(*conv)};
  raise_unknown(name);
}

LdmPlace LdmNames::place(const std::string& name) const {
  if (part_ == LdmPart::unet) return {unet(name)};
  if (part_ == LdmPart::vae) return vae(name);
  if (part_ == LdmPart::clip) return {name};
  return open_clip(name);
}

}  // namespace plumb
