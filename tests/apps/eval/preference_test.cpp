#include "apps/eval/preference.h"

#include <doctest/doctest.h>

#include <cmath>

#include "apps/common/exit_codes.h"
#include "engine/error.h"
#include "engine/io/file.h"
#include "engine/io/png.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"
#include "tests/diffusion/pipeline/tiny_pipeline.h"
#include "tests/support/numeric.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using namespace plumb::test;

namespace {

constexpr int64_t kPairs = 5, kSide = 8;

/// Five pairs of 8x8 pictures, two models of one class of pipelines, of classes or with text.
struct Case {
  TempDir dir;

  explicit Case(const std::string& class_name, int64_t classes) {
    std::filesystem::create_directories(dir / "pairs");
    std::string rows;
    for (int64_t i = 0; i < 2 * kPairs; ++i) {
      Image image{kSide, kSide, 3, {}};
      for (int64_t k = 0; k < kSide * kSide * 3; ++k) image.pixels.push_back(uint8_t(mix64(uint64_t(900 * i + k / 5))));
      write_png(dir / "pairs" / (std::to_string(i) + ".png"), image);
    }
    for (int64_t i = 0; i < kPairs; ++i) {
      const std::string n = std::to_string(i), prompt = classes > 0 ? std::to_string(i % classes) : i % 2 ? "a b" : "b";
      rows += R"({"id": ")" + n + R"(", "prompt": ")" + prompt + R"(", "pos_file": ")" + n + R"(.png", "neg_file": ")" +
              std::to_string(i + kPairs) + ".png\"}\n";
    }
    write_file_atomic(dir / "pairs/metadata.jsonl", rows);
    save_pipeline(dir / "model", pipeline(class_name, classes, 4));
    save_pipeline(dir / "reference", pipeline(class_name, classes, 5));
  }

  static Pipeline pipeline(const std::string& class_name, int64_t classes, uint64_t seed) {
    Pipeline made = tiny_pipeline(class_name);
    Generator generator(seed);
    if (classes > 0) {
      UNet2DOptions options = tiny_unet();
      options.num_class_embeds = classes;
      made.unet = make_picture_denoiser(config_of(options), generator);
    } else {
      made.unet = make_picture_denoiser(made.unet->config(), generator);
    }
    perturb_all(made);
    set_model_max_length(made, 7);
    return made;
  }

  PreferenceEvalSettings settings() const {
    return {.model = (dir / "model").string(),
            .reference = (dir / "reference").string(),
            .pairs = (dir / "pairs").string(),
            .resolution = kSide,
            .bins = 3,
            .timesteps = 2,
            .batch_size = 2,
            .seed = 6,
            .quiet = true,
            .bootstrap = {.resamples = 50}};
  }

  Json measure(const PreferenceEvalSettings& s) const { return PreferenceEval(s).measure(dir / "cache"); }
  std::string refuses(const PreferenceEvalSettings& s) const {
    return message_of([&] { PreferenceEval(s).measure(dir / "cache"); });
  }
};

Tensor pixels_of(const std::filesystem::path& path) {
  const Image image = read_png(path).image;
  Tensor pixels = empty({1, 3, kSide, kSide});
  for (int64_t c = 0; c < 3; ++c)
    for (int64_t i = 0; i < kSide * kSide; ++i)
      pixels.mutable_data<float>()[c * kSide * kSide + i] = float(image.pixels[size_t(3 * i + c)]) / 127.5f - 1;
  return pixels;
}

/// Mean squared error of the predicted noise, picture by picture and by hand.
double error_of(const Pipeline& model, const Tensor& x0, const Tensor& noise, int64_t t, int64_t label) {
  const double bar = training_schedule(model.scheduler).alphas_cumprod().to_vector<double>()[size_t(t)];
  const Tensor x = x0 * std::sqrt(bar) + noise * std::sqrt(1 - bar);
  const Condition condition{.labels = from_vector<int64_t>({label}, {1})};
  const Tensor pred = model.unet->predict(x, full({1}, double(t)), condition).value();
  return mean((pred - noise) * (pred - noise)).item();
}

}  // namespace

TEST_CASE("eval preference: margins and accuracy are those of errors worked out picture by picture") {
  const Case tiny("DDPMPipeline", 3);
  const PreferenceEvalSettings settings = tiny.settings();
  const Json got = tiny.measure(settings);
  const Pipeline model = load_pipeline(settings.model), reference = load_pipeline(settings.reference);
  const RandomKey key = RandomKey{.seed = 6}.fork("preference").fork("noise");
  double margins = 0, right = 0, last_bin = 0;
  for (const Json& step : got.at("timesteps").as_array())
    for (int64_t i = 0; i < kPairs; ++i) {
      const int64_t t = step.as_integer();
      const Tensor noise = randn(key.at_step(uint64_t(t)).at_sample(uint64_t(i)), {1, 3, kSide, kSide});
      const auto gain = [&](int64_t picture) {
        const Tensor x0 = pixels_of(tiny.dir / "pairs" / (std::to_string(picture) + ".png"));
        return error_of(model, x0, noise, t, i % 3) - error_of(reference, x0, noise, t, i % 3);
      };
      const double margin = gain(i) - gain(i + kPairs);
      margins += margin / (6 * kPairs), right += (margin < 0) / (6.0 * kPairs);
      if (t >= 667) last_bin += margin / (2 * kPairs);
    }
  CHECK(got.at("timesteps").size() == 6);
  CHECK(got.at("accuracy").at("mean").as_number() == doctest::Approx(right));
  CHECK(std::abs(got.at("margin").at("mean").as_number() - margins) < 1e-6);
  const Json& bin = got.at("bins").as_array().back();
  CHECK(bin.at("begin").as_integer() == 667);
  CHECK(bin.at("end").as_integer() == 1000);
  CHECK(std::abs(bin.at("margin").at("mean").as_number() - last_bin) < 1e-6);
  CHECK(got.at("prompts").as_integer() == 3);
  const std::string table = format_preference(got);
  CHECK(table.find("5 pairs of 3 prompts, against " + settings.reference) == 0);
  CHECK(table.find("\n667-999 ") != std::string::npos);
}

TEST_CASE(
    "eval preference: text and latents; neither batches nor the cache matter; a model beside itself is undecided") {
  const Case tiny("StableDiffusionPipeline", 0);
  PreferenceEvalSettings settings = tiny.settings();
  settings.resolution = 16;
  const Json got = tiny.measure(settings);
  CHECK(got.at("margin").at("mean").as_number() != 0);
  CHECK(tiny.measure(settings) == got);  // from the cache
  settings.batch_size = 4;
  CHECK(tiny.measure(settings).at("margin").at("mean").as_number() ==
        doctest::Approx(got.at("margin").at("mean").as_number()).epsilon(1e-4));
  settings.num_pairs = 3;
  CHECK(tiny.measure(settings).at("pairs").as_integer() == 3);
  settings.reference = "";
  CHECK(tiny.measure(settings).at("reference").is_null());
  settings.reference = settings.model;
  const Json same = tiny.measure(settings);
  CHECK(same.at("accuracy").at("mean").as_number() == 0.5);
  CHECK(same.at("accuracy").at("low").as_number() == 0.5);
  CHECK(same.at("margin").at("high").as_number() == 0);
}

TEST_CASE("eval preference: refuses what does not fit before anything is written") {
  const Case tiny("DDPMPipeline", 3);
  PreferenceEvalSettings settings = tiny.settings();
  settings.num_pairs = 6;
  CHECK(tiny.refuses(settings) == "eval: --num_pairs 6 are more than there are (5 in " + settings.pairs + ")");
  settings = tiny.settings();
  settings.bins = 600;
  CHECK(tiny.refuses(settings) == "preference accuracy: bins times draws must be 1 to 1000 timesteps (600 times 2)");
  settings = tiny.settings();
  settings.resolution = 7;
  CHECK(tiny.refuses(settings) == "eval: --resolution must be a multiple of 2 for this model (7)");
  settings = tiny.settings();
  Pipeline other = Case::pipeline("DDPMPipeline", 3, 5);
  other.scheduler.prediction_type = Prediction::v_prediction;
  save_pipeline(tiny.dir / "other", other);
  settings.reference = tiny.dir / "other";
  CHECK(tiny.refuses(settings).starts_with("eval: --model and --reference must predict the same (epsilon in "));
  CHECK_FALSE(std::filesystem::exists(tiny.dir / "cache"));
}
