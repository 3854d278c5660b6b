#include "apps/convert/convert.h"

#include <cstdio>
#include <filesystem>

#include "apps/common/globals.h"
#include "apps/common/output_dir.h"
#include "apps/common/run_guarded.h"
#include "diffusion/pipeline/pipeline.h"
#include "engine/format.h"
#include "engine/require.h"
#include "nn/visitors.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

enum class StoredType { same, f32, f16, bf16 };

struct Settings {
  GlobalFlags global{};
  std::string model = {};
  StoredType dtype = StoredType::same;
  std::string variant = {};
  std::string tokenizer = {};
  std::string prediction = "epsilon";
};

void add_flags(Flags& flags, Settings& s) {
  flags.positional("model", s.model, "model folder, or single .safetensors file").required();
  flags
      .add_choice(
          "--dtype", s.dtype,
          {{"same", StoredType::same}, {"f32", StoredType::f32}, {"f16", StoredType::f16}, {"bf16", StoredType::bf16}},
          "of the weights written; same: as they are stored")
      .alias("--torch_dtype");
  flags.add("--variant", s.variant, "of a folder's files that is read [the plain files]").shown_as("fp16");
  flags.add("--tokenizer", s.tokenizer, "where a single file's tokenizer comes from: vocab.json and merges.txt")
      .shown_as("FOLDER");
  flags.add("--prediction_type", s.prediction, "what the network of a single file predicts",
            one_of({"epsilon", "v_prediction", "sample"}));
  flags.add_global(s.global);
  flags.example("plumb convert stable-diffusion-v1-5 --out sd15.safetensors");
  flags.example("plumb convert sd15.safetensors --tokenizer clip --out sd15");
}

bool is_single_file(const std::string& out) { return fs::path(out).extension() == ".safetensors"; }

/// A folder is replaced as a whole: it must be a model, or empty.
void check_out(const Settings& s) {
  require<UsageError>(!s.global.out.empty(), "convert: --out is missing; give a folder or FILE.safetensors");
  std::error_code ignored;
  require<UsageError>(!fs::equivalent(s.model, s.global.out, ignored),
                      "convert: --out {} is the model itself; give another --out", s.global.out);
  if (is_single_file(s.global.out)) return require_writable_file(s.global.out);
  const bool replaceable = !fs::exists(s.global.out, ignored) ||
                           fs::exists(fs::path(s.global.out) / "model_index.json", ignored) ||
                           fs::is_empty(s.global.out, ignored);
  require<UsageError>(replaceable, "convert: --out {} holds something else than a model; give another --out",
                      s.global.out);
}

LoadPipelineOptions options_of(const Settings& s, bool told) {
  LoadPipelineOptions options{.variant = s.variant, .as_stored = s.dtype == StoredType::same, .tokenizer = s.tokenizer};
  if (s.dtype == StoredType::f16) options.dtype = DType::f16;
  if (s.dtype == StoredType::bf16) options.dtype = DType::bf16;
  if (told) options.prediction = prediction_from_name(s.prediction);
  return options;
}

}  // namespace

int run_convert(const Arguments& arguments) {
  Settings settings;
  Flags flags("convert", "a model of pictures between diffusers' folder and a single file");
  add_flags(flags, settings);
  if (!flags.parse(arguments)) return kExitDone;
  apply_globals(settings.global);
  check_out(settings);
  const Pipeline pipeline = load_pipeline(settings.model, options_of(settings, flags.given("--prediction_type")));
  const bool single = is_single_file(settings.global.out);
  std::vector<std::string> notes = pipeline.notes;
  if (single)
    for (std::string& note : save_single_file(settings.global.out, pipeline)) notes.push_back(std::move(note));
  else
    save_pipeline(settings.global.out, pipeline);
  if (settings.global.quiet) return kExitDone;
  for (const std::string& note : notes) std::fprintf(stderr, "note: %s\n", one_line(note).c_str());
  int64_t elements = 0;
  for (const PipelineModule& each : modules_of(pipeline)) elements += count(parameters(*each.module));
  std::printf("%s: %s, %lld parameters\n", settings.global.out.c_str(), single ? "single file" : "folder",
              static_cast<long long>(elements));
  return kExitDone;
}

}  // namespace plumb
