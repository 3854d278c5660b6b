#include "apps/common/picture_memory.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "apps/common/exit_codes.h"
#include "apps/common/picture_shape.h"
#include "engine/require.h"
#include "nn/optim/adafactor.h"
#include "nn/visitors.h"

namespace plumb {
namespace {

constexpr int64_t kBytes = 4;

/// One level of a unet.
struct Level {
  int64_t channels = 0;
  int64_t blocks = 0;  // on the way down; one more on the way up
  int64_t layers = 0;  // of its transformers; 0: no attention
};

/// The first number of a setting that is one number, a list, or lists in a list; that of level i where it is a list.
int64_t number_of(const Json* value, size_t i, int64_t otherwise) {
  if (!value || value->is_null()) return otherwise;
  if (!value->is_array()) return value->as_integer();
  if (value->size() == 0) return otherwise;
  return number_of(&(*value)[std::min(i, value->size() - 1)], 0, otherwise);
}

std::vector<Level> levels_of(const Json& config) {
  std::vector<Level> levels;
  const Json& channels = config.at("block_out_channels");
  const Json& kinds = config.at("down_block_types");
  for (size_t i = 0; i < channels.size(); ++i) {
    const bool attention = i < kinds.size() && kinds[i].as_string().find("Attn") != std::string::npos;
    levels.push_back({channels[i].as_integer(), number_of(config.find("layers_per_block"), i, 2),
                      attention ? number_of(config.find("transformer_layers_per_block"), i, 1) : 0});
  }
  return levels;
}

/// Elements, while the network is walked.
class Walk {
 public:
  Walk(bool training, bool checkpointing) : training_(training), checkpointing_(checkpointing) {}

  /// A residual block keeps its input and what lies between its two convolutions.
  void resnet(int64_t in, int64_t out, int64_t pixels) { block(in * pixels, (in + 2 * out) * pixels); }
  /// A layer of attention keeps its three normalised inputs, queries, keys, values and results of both attentions,
  /// the sums in between, and the wide part of its feed-forward.
  void attention(int64_t channels, int64_t layers, int64_t pixels) {
    constexpr int64_t kKeptOfLayer = 24, kKeptAround = 3;
    if (layers == 0) return;
    keep(kKeptAround * channels * pixels);
    for (int64_t i = 0; i < layers; ++i) block(channels * pixels, kKeptOfLayer * channels * pixels);
  }
  /// Between blocks.
  void keep(int64_t elements) {
    kept_ += elements;
    largest_ = std::max(largest_, elements);
  }
  /// What the way up still needs.
  void skip(int64_t elements) { skips_ += elements; }

  int64_t elements() const {
    constexpr int64_t kAlive = 3;  // gradients beside the largest activation
    return training_ ? kept_ + worst_ + kAlive * largest_ : skips_ + worst_ + largest_;
  }

 private:
  void block(int64_t input, int64_t inside) {
    largest_ = std::max(largest_, input);
    if (training_ && !checkpointing_) {
      kept_ += inside;
      return;
    }
    kept_ += input;
    worst_ = std::max(worst_, inside);
  }

  bool training_, checkpointing_;
  int64_t kept_ = 0, skips_ = 0, worst_ = 0, largest_ = 0;
};

int64_t activation_elements(const Json& config, const PictureWork& work, int64_t height, int64_t width) {
  const std::vector<Level> levels = levels_of(config);
  Walk walk(work.training, work.checkpointing);
  int64_t pixels = work.batch * height * width, current = levels[0].channels;
  std::vector<int64_t> skips = {current};
  walk.keep(current * pixels), walk.skip(current * pixels);
  for (size_t i = 0; i < levels.size(); ++i) {
    for (int64_t j = 0; j < levels[i].blocks; ++j) {
      walk.resnet(current, levels[i].channels, pixels);
      walk.attention(levels[i].channels, levels[i].layers, pixels);
      current = levels[i].channels;
      skips.push_back(current), walk.skip(current * pixels);
    }
    if (i + 1 == levels.size()) break;
    walk.keep(current * pixels);
    pixels = std::max<int64_t>(work.batch, pixels / 4);
    skips.push_back(current), walk.skip(current * pixels);
  }
  walk.resnet(current, current, pixels);
  walk.attention(current, std::max<int64_t>(1, levels.back().layers), pixels);
  walk.resnet(current, current, pixels);
  for (size_t i = levels.size(); i-- > 0;) {
    for (int64_t j = 0; j <= levels[i].blocks; ++j) {
      walk.resnet(current + skips.back(), levels[i].channels, pixels);
      walk.attention(levels[i].channels, levels[i].layers, pixels);
      current = levels[i].channels;
      skips.pop_back();
    }
    if (i == 0) break;
    pixels *= 4;
    walk.keep(current * pixels);
  }
  walk.keep(current * pixels);
  return walk.elements();
}

int64_t count_of(Module* module) { return module ? count(parameters(*module)) : 0; }

int64_t adafactor_bytes(Module* module) { return module ? Adafactor::state_bytes(parameters(*module)) : 0; }

/// The largest tensors of the autoencoder, which sampling ends with: its last level at the picture's size.
int64_t decoder_elements(const Pipeline& pipeline, const PictureWork& work, int64_t height, int64_t width) {
  if (!pipeline.vae) return 0;
  constexpr int64_t kAlive = 3;
  const int64_t scale = pipeline.vae->options().reduction();
  const std::vector<int64_t>& channels = pipeline.vae->options().block_out_channels;
  const int64_t widest = channels.size() > 1 ? channels[1] : channels[0];
  return kAlive * work.batch * widest * height * width * scale * scale;
}

std::string gib(int64_t bytes) { return fmt::format("{:.3g} GiB", double(bytes) / double(int64_t(1) << 30)); }

/// Smaller work that fits; "" when none of it does.
std::string what_fits(const Pipeline& pipeline, const PictureWork& work, int64_t available) {
  const auto fits = [&](const PictureWork& less) { return predict_memory(pipeline, less).total() <= available; };
  const auto says = [&](const std::string& what, const PictureWork& less) {
    return fmt::format("{} needs {}", what, gib(predict_memory(pipeline, less).total()));
  };
  PictureWork less = work;
  if (work.training && !work.checkpointing) {
    less.checkpointing = true;
    if (fits(less)) return says("--gradient_checkpointing", less);
  }
  for (less.batch = work.batch / 2; less.batch >= 1; less.batch /= 2)
    if (fits(less))
      return says(
          fmt::format("a batch of {}{}", less.batch, less.checkpointing ? " with --gradient_checkpointing" : ""), less);
  less.batch = 1;
  if (work.training && work.adapter_parameters == 0) {
    less.frozen_copies = 0;
    less.adapter_parameters = std::max<int64_t>(1, count_of(pipeline.unet.get()) / 100);
    if (fits(less)) return says("an adapter (--use_lora) with --gradient_checkpointing and a batch of 1", less);
  }
  return "";
}

}  // namespace

PictureMemory predict_memory(const Pipeline& pipeline, const PictureWork& work) {
  require<ValueError>(pipeline.unet && work.batch >= 1 && work.height >= 0 && work.width >= 0,
                      "memory: needs a unet, a batch and a size (batch {}, {} x {})", work.batch, work.height,
                      work.width);
  PictureMemory memory{.parameters = count_of(pipeline.unet.get())};
  memory.trained = !work.training ? 0 : work.adapter_parameters > 0 ? work.adapter_parameters : memory.parameters;
  if (work.training && work.text_encoder) memory.trained += count_of(pipeline.text_encoder.get());
  memory.weights = kBytes * (work.adapter_parameters + work.frozen_copies * memory.parameters);
  for (const PipelineModule& each : modules_of(pipeline)) memory.weights += kBytes * count_of(each.module);
  memory.gradients = kBytes * memory.trained;
  memory.optimizer = 2 * kBytes * memory.trained;
  if (work.training && work.adafactor && work.adapter_parameters == 0)
    memory.optimizer =
        adafactor_bytes(pipeline.unet.get()) + (work.text_encoder ? adafactor_bytes(pipeline.text_encoder.get()) : 0);
  memory.average = work.average ? kBytes * memory.trained : 0;
  const int64_t scale = reduction_of(pipeline);
  const Size2d trained = pipeline.unet->sample_size();
  const int64_t height = std::max<int64_t>(1, work.height > 0 ? work.height / scale : trained.height);
  const int64_t width = std::max<int64_t>(1, work.width > 0 ? work.width / scale : trained.width);
  int64_t elements = activation_elements(pipeline.unet->config(), work, height, width);
  if (!work.training) elements = std::max(elements, decoder_elements(pipeline, work, height, width));
  memory.activations = kBytes * elements;
  return memory;
}

int64_t machine_memory() {
  int64_t bytes = int64_t(::sysconf(_SC_PHYS_PAGES)) * int64_t(::sysconf(_SC_PAGESIZE));
  std::ifstream limit("/sys/fs/cgroup/memory.max");
  int64_t most = 0;
  if (limit >> most && most > 0) bytes = std::min(bytes, most);
  return bytes;
}

void require_memory(const std::string& verb, const Pipeline& pipeline, const PictureWork& work, int64_t available) {
  const PictureMemory m = predict_memory(pipeline, work);
  if (m.total() <= available) return;
  const std::string less = what_fits(pipeline, work, available);
  throw UsageError(fmt::format(
      "{}: needs about {} of memory, and there are {} (weights {}, gradients {}, optimizer {}, average {}, activations "
      "{}); {}",
      verb, gib(m.total()), gib(available), gib(m.weights), gib(m.gradients), gib(m.optimizer), gib(m.average),
      gib(m.activations), less.empty() ? "use a smaller model or a machine with more" : less));
}

}  // namespace plumb
