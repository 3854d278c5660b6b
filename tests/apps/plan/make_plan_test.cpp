#include "apps/plan/make_plan.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string_view>

#include "apps/plan/forwards.h"
#include "apps/plan/measure.h"
#include "diffusion/point_model.h"
#include "engine/error.h"
#include "engine/io/file.h"
#include "engine/io/safetensors.h"
#include "tests/diffusion/pipeline/tiny_pipeline.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using namespace plumb::test;
using doctest::Approx;

namespace {

plan::Settings settings_for(const std::string& objective, const std::string& policy = "forward") {
  plan::Settings settings;
  settings.objective.name = objective;
  settings.policy = policy;
  return settings;
}

double beta_at(const Json& plan, const std::vector<int64_t>& shape) {
  for (const Json& row : plan.at("beta").at("equal_strength").as_array()) {
    std::vector<int64_t> sizes;
    for (const Json& size : row.at("shape").as_array()) sizes.push_back(size.as_integer());
    if (sizes == shape) return row.at("beta").as_number();
  }
  return -1;
}

std::string write_model(const TempDir& folder, int64_t dimensions = 2) {
  Generator generator(1);
  PointModel model{
      .network = std::make_unique<PointDenoiser>(PointDenoiserOptions{.dimensions = dimensions}, generator),
      .schedule = {.num_train_timesteps = 100, .beta_start = 1e-3, .beta_end = 0.2}};
  save_point_model(folder / "model", model);
  return (folder / "model").string();
}

}  // namespace

TEST_CASE("plan: Diffusion-DPO as published, in all three conventions of the rate") {
  const Json plan = plan::make_plan(settings_for("diffusion_dpo"));
  CHECK(plan.at("batch").at("effective").as_integer() == 2048);
  const Json& rate = plan.at("learning_rate");
  CHECK(rate.at("scale_lr").as_bool());
  CHECK(rate.at("with_scale_lr").as_number() == Approx(2.048e-5).epsilon(1e-12));
  CHECK(rate.at("without_scale_lr").as_number() == 1e-8);
  CHECK(rate.at("papers_text").as_number() == Approx(8.192e-9).epsilon(1e-12));
  CHECK(plan.at("beta").at("beta").as_number() == Approx(5000).epsilon(1e-12));
  CHECK(plan.at("beta").at("elements").as_integer() == 16384);
  CHECK(plan.at("beta").at("strength").as_number() == Approx(0.152587890625).epsilon(1e-12));
  CHECK(beta_at(plan, {3, 32, 32}) == Approx(937.5).epsilon(1e-12));  // "about 940"
  CHECK(beta_at(plan, {4, 64, 64}) == Approx(5000).epsilon(1e-12));
  CHECK(beta_at(plan, {2}) == Approx(0.6103515625).epsilon(1e-12));
  CHECK(plan.at("steps").at("steps").as_integer() == 2000);
  CHECK(plan.at("steps").at("warmup_steps").as_integer() == 500);
  CHECK(plan.at("steps").at("pairs").as_integer() == 4096000);
  CHECK(plan.at("steps").at("epochs").is_null());
  CHECK_FALSE(plan.find("memory"));
}

TEST_CASE("plan: DDSPO's betas and what they become elsewhere") {
  const Json training_free = plan::make_plan(settings_for("ddspo", "training_free"));
  CHECK(training_free.at("beta").at("strength").as_number() == Approx(0.48828125).epsilon(1e-12));
  CHECK(beta_at(training_free, {3, 32, 32}) == Approx(3000).epsilon(1e-12));
  CHECK(training_free.at("learning_rate").at("papers_text").is_null());
  CHECK(training_free.at("learning_rate").at("with_scale_lr").as_number() == Approx(5.12e-6).epsilon(1e-12));
  const Json data_driven = plan::make_plan(settings_for("ddspo", "data_driven"));
  CHECK(beta_at(data_driven, {4, 64, 64}) == Approx(8000).epsilon(1e-12));
  // Without --beta_dpo the published strength is kept at any shape, as plumb align keeps it.
  plan::Settings small = settings_for("ddspo", "training_free");
  small.shape = {3, 32, 32};
  CHECK(plan::make_plan(small).at("beta").at("beta").as_number() == Approx(3000).epsilon(1e-12));
  CHECK(plan::make_plan(small).at("beta").at("strength").as_number() == Approx(0.48828125).epsilon(1e-12));
  small.objective.beta = 500;
  CHECK(plan::make_plan(small).at("beta").at("strength").as_number() == Approx(500 / 2.0 / 3072).epsilon(1e-12));
}

TEST_CASE("plan: objectives whose beta is another thing, or that have none") {
  const Json kto = plan::make_plan(settings_for("diffusion_kto"));
  CHECK(kto.at("beta").at("factor").as_number() == 1);
  CHECK(kto.at("beta").at("strength").as_number() == Approx(5000.0 / 16384).epsilon(1e-12));
  CHECK_FALSE(kto.at("learning_rate").at("scale_lr").as_bool());
  CHECK(plan::make_plan(settings_for("dspo")).at("beta").at("beta").as_number() == 0.001);
  CHECK(plan::make_plan(settings_for("mapo")).at("beta").is_null());
  CHECK(plan::make_plan(settings_for("sft")).at("beta").is_null());
  CHECK(plan::make_plan(settings_for("dspo_xl")).at("learning_rate").at("papers_text").as_number() ==
        Approx(8.192e-9).epsilon(1e-12));
}

TEST_CASE("plan: batch, rate, steps and epochs as given") {
  plan::Settings settings = settings_for("self_dpo");
  settings.batch = 3, settings.accumulation = 5, settings.devices = 7;
  settings.learning_rate = 2e-6;
  settings.steps = 11;
  settings.dataset_size = 231;
  const Json plan = plan::make_plan(settings);
  CHECK(plan.at("batch").at("effective").as_integer() == 105);
  CHECK(plan.at("learning_rate").at("with_scale_lr").as_number() == Approx(2.1e-4).epsilon(1e-12));
  CHECK(plan.at("steps").at("pairs").as_integer() == 1155);
  CHECK(plan.at("steps").at("epochs").as_number() == 5);
  settings.scale_lr = true;
  CHECK(plan::make_plan(settings).at("learning_rate").at("scale_lr").as_bool());
}

TEST_CASE("plan: forwards of every objective, in rows over pairs") {
  struct Row {
    const char *objective, *policy;
    double student, frozen, moved;
  };
  // A winner and a loser each for the student and the reference; TF-CPP adds the initial model's (xl, c-), and its
  // (xw, c) once the reference is another; DD-CPP adds one of each adapter.
  for (const Row& row :
       {Row{"sft", "forward", 1, 0, 0}, Row{"diffusion_dpo", "forward", 2, 2, 2},
        Row{"diffusion_kto", "forward", 2, 2, 2}, Row{"mapo", "forward", 2, 0, 0}, Row{"dspo", "forward", 2, 2, 2},
        Row{"dspo_e", "forward", 1, 1, 1}, Row{"dspo_ref", "forward", 2, 2, 2}, Row{"dspo_xl", "forward", 2, 2, 2},
        Row{"self_dpo", "forward", 2, 2, 2}, Row{"ddspo", "forward", 2, 2, 2}, Row{"ddspo", "training_free", 2, 3, 4},
        Row{"ddspo", "oracle", 2, 2, 2}, Row{"ddspo", "data_driven", 2, 4, 4}}) {
    CAPTURE(row.objective);
    CAPTURE(row.policy);
    const plan::Forwards forwards = plan::count_forwards(row.objective, {}, row.policy);
    CHECK(forwards.student == row.student);
    CHECK(forwards.frozen == row.frozen);
    CHECK(forwards.frozen_moved == row.moved);
  }
  CHECK(plan::count_forwards("diffusion_kto", {{"offset", "mismatched"}}, "forward").frozen == 4);
}

TEST_CASE("plan: bytes between steps") {
  const plan::Memory full = plan::memory_of({.parameters = 1000});
  CHECK(full.trained == 1000);
  CHECK(full.weights == 4000);
  CHECK(full.gradients == 4000);
  CHECK(full.optimizer == 8000);
  CHECK(full.initial == 4000);
  CHECK(full.total() == 20000);
  CHECK(plan::memory_of({.parameters = 1000, .average = true, .moving = true}).total() == 28000);
  CHECK(plan::memory_of({.parameters = 1000, .optimizer = 77}).optimizer == 77);
  const plan::Memory lora =
      plan::memory_of({.parameters = 1000, .adapter_parameters = 10, .average = true, .moving = true});
  CHECK(lora.trained == 10);
  CHECK(lora.weights == 4040);
  CHECK(lora.initial == 0);
  CHECK(lora.total() == 4040 + 40 + 80 + 40 + 40);
}

TEST_CASE("plan: a point model is counted, and a step of it measured") {
  const TempDir folder;
  plan::Settings settings = settings_for("ddspo", "training_free");
  settings.model = write_model(folder);
  settings.batch = 64, settings.accumulation = 2;
  const Json plan = plan::make_plan(settings);
  CHECK(plan.at("memory").at("parameters").as_integer() == 42050);
  CHECK(plan.at("memory").at("total").as_integer() == 5 * 4 * 42050);
  CHECK(plan.at("beta").at("elements").as_integer() == 2);
  CHECK(plan.at("beta").at("strength").as_number() == Approx(0.48828125).epsilon(1e-12));
  const int64_t peak = plan.at("measured").at("peak_bytes").as_integer();
  // Above what is kept there are activations: x, time and class features, four layers with their SiLU, for 4 x 64 rows.
  CHECK(peak > plan.at("memory").at("total").as_integer() + 4 * 128 * 3 * 128);
  CHECK(peak < 16 << 20);
  CHECK(plan.at("measured").at("step_s").as_number() > 0);
  settings.batch = 1024, settings.accumulation = 1;
  CHECK(plan::make_plan(settings).at("measured").at("peak_bytes").as_integer() > peak + 512 * 4 * 128 * 3);
  settings.use_lora = true;
  const Json lora = plan::make_plan(settings);
  // rank (in + out) of the layers 66 -> 128 -> 128 -> 128 -> 2
  CHECK(lora.at("memory").at("trained").as_integer() == 4 * (66 + 128 + 128 + 128 + 128 + 128 + 128 + 2));
  CHECK(folder.entries() == 1);  // nothing was written
}

TEST_CASE("plan: any diffusers folder is counted from the headers of its files") {
  const TempDir folder;
  const std::filesystem::path model = folder / "sd";
  std::filesystem::create_directories(model / "unet");
  write_file_atomic(model / "model_index.json",
                    R"({"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"]})");
  write_file_atomic(model / "unet/config.json", R"({"_class_name": "UNet2DConditionModel"})");
  save_safetensors(model / "unet/diffusion_pytorch_model.safetensors",
                   {{"conv_in.weight", zeros({8, 4, 3, 3}, DType::f16)},
                    {"block.attn1.to_q.weight", zeros({8, 8}, DType::f16)},
                    {"block.attn2.to_k.weight", zeros({8, 12}, DType::f16)},
                    {"block.attn1.to_out.0.weight", zeros({8, 8}, DType::f16)},
                    {"block.ff.net.2.weight", zeros({8, 32}, DType::f16)}});
  plan::Settings settings = settings_for("diffusion_dpo");
  settings.model = model.string();
  const int64_t parameters = 8 * 36 + 64 + 96 + 64 + 256;
  const Json full = plan::make_plan(settings);
  CHECK(full.at("memory").at("parameters").as_integer() == parameters);
  CHECK(full.at("memory").at("total").as_integer() == 20 * parameters);  // in f32, whatever the file holds
  CHECK_FALSE(full.find("measured"));
  CHECK(full.at("beta").at("elements").as_integer() == 16384);
  settings.use_lora = true, settings.rank = 2;
  const Json lora = plan::make_plan(settings);
  CHECK(lora.at("memory").at("trained").as_integer() == 2 * (16 + 20 + 16));
  CHECK(lora.at("memory").at("initial").as_integer() == 0);
  std::filesystem::remove(model / "unet/diffusion_pytorch_model.safetensors");
  CHECK_THROWS_AS(plan::make_plan(settings), UsageError);
}

TEST_CASE("plan: the strength of beta is that of the model's latents") {
  const TempDir folder;
  save_pipeline(folder / "sd", tiny_pipeline("StableDiffusionPipeline"));
  plan::Settings settings = settings_for("diffusion_dpo");
  settings.model = (folder / "sd").string();
  CHECK(plan::make_plan(settings).at("beta").at("elements").as_integer() == 4 * 8 * 8);
  settings.resolution = 24;  // the autoencoder halves it
  CHECK(plan::make_plan(settings).at("beta").at("elements").as_integer() == 4 * 12 * 12);
  settings.shape = {3, 5};
  CHECK(plan::make_plan(settings).at("beta").at("elements").as_integer() == 15);
}

TEST_CASE("plan: what does not fit is refused") {
  plan::Settings settings = settings_for("mapo");
  settings.objective.beta = 2;
  CHECK_THROWS_AS(plan::make_plan(settings), UsageError);
  settings = settings_for("diffusion_dpo");
  settings.shape = {1'000'000, 1'000'000, 1'000'000};
  CHECK_THROWS_AS(plan::make_plan(settings), UsageError);
  settings.shape = {};
  settings.model = "/nowhere";
  CHECK_THROWS_AS(plan::make_plan(settings), Error);
}

TEST_CASE("plan: every number is in the text") {
  const std::string text = plan::format_plan(plan::make_plan(settings_for("diffusion_dpo")));
  for (const char* part : {"2048 = 1 x 2048 x 1", "2.048e-05 with --scale_lr", "1e-08 without", "8.192e-09", "0.1526",
                           "937.5", "2000, 500", "4096000 pairs", "2 of the student", "2 frozen"})
    CHECK_MESSAGE(text.find(part) != std::string::npos, part);
}
