#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "diffusion/picture_denoiser.h"
#include "diffusion/schedule/scheduler_config.h"
#include "nn/clip/clip_text_model.h"
#include "nn/clip/tokenizer.h"
#include "nn/vae/autoencoder_kl.h"

namespace plumb {

/// A diffusion model of pictures with everything it needs, as diffusers' pipelines hold it. What a class of pipelines
/// has not, or a folder leaves out, is absent.
struct Pipeline {
  /// diffusers' name: DDPMPipeline, DDIMPipeline (pixels), LDMPipeline (latents), StableDiffusionPipeline,
  /// StableDiffusionXLPipeline, and their Img2Img and Inpaint forms. Or ours for what diffusers has no pipeline of,
  /// pixels from text: TextToPixelsPipeline, whose components diffusers and transformers read one by one.
  std::string class_name = "DDPMPipeline";
  std::unique_ptr<PictureDenoiser> unet;
  std::unique_ptr<AutoencoderKL> vae;
  std::unique_ptr<ClipTextModel> text_encoder, text_encoder_2;
  std::optional<ClipTokenizer> tokenizer = {}, tokenizer_2 = {};
  SchedulerConfig scheduler;
  bool force_zeros_for_empty_prompt = true;  ///< SDXL: what an empty negative prompt becomes
  /// The tokenizers' files by their path in the folder ("tokenizer/vocab.json"), byte for byte: what is saved.
  std::map<std::string, std::string> tokenizer_files = {};
  /// What was left out or could not be known on loading, for people.
  std::vector<std::string> notes = {};
};

struct LoadPipelineOptions {
  std::string variant = {};         ///< "fp16", say; the plain files unless given
  std::optional<DType> dtype = {};  ///< of the weights; f32 unless set
  bool as_stored = false;           ///< each weight in the type of its file instead
  /// False: only configurations are read, and the modules have shapes without memory (Init::shapes); no tokenizers.
  bool weights = true;
  /// Where tokenizers come from that a single file lacks: a folder with vocab.json and merges.txt, or a model folder
  /// with tokenizer/ (and tokenizer_2/) in it.
  std::filesystem::path tokenizer = {};
  /// What the network of a single file predicts, which the file does not say; epsilon unless set.
  std::optional<Prediction> prediction = {};
};

/// Reads a folder with a model_index.json, or a single file of Stable Diffusion 1, 2 or XL (nn/pretrained/
/// single_file.h), whose configurations and schedule are the family's published ones. Weights are used where they lie
/// in the mapped files where their type is the one wanted, and converted otherwise: nothing is copied, and nothing read
/// before it is used. Throws IoError or ValueError naming file and key, tensor or component: an unknown class, a
/// component that is missing or of another class, names and shapes that do not fit.
Pipeline load_pipeline(const std::filesystem::path& path, const LoadPipelineOptions& options = {});

/// Writes a folder that diffusers' from_pretrained takes, complete or not at all: model_index.json, for each component
/// its config.json and one safetensors file, scheduler/scheduler_config.json, the tokenizers' files as they were, and a
/// manifest.json with hashes. Throws ValueError when a part that the class needs is missing; IoError.
void save_pipeline(const std::filesystem::path& folder, const Pipeline& pipeline);

/// Writes one file with the names of the original Stable Diffusion code, which ComfyUI, stable-diffusion.cpp and others
/// load; it has no place for tokenizers. What they would read otherwise than it is (heads, groups, a schedule), since
/// they go by names and shapes, lies in the file's metadata for load_pipeline, and is returned in a line each for
/// people. Weights keep their types. Throws ValueError for a class or a network that has no such form; IoError.
std::vector<std::string> save_single_file(const std::filesystem::path& path, const Pipeline& pipeline);

/// A module of a pipeline under its name in the folder ("unet", "vae", "text_encoder", …).
struct PipelineModule {
  std::string name;
  Module* module;
};
/// Those that are there.
std::vector<PipelineModule> modules_of(const Pipeline& pipeline);

/// Moves all of them to a device.
void to_device(const Pipeline& pipeline, Device device);

}  // namespace plumb
