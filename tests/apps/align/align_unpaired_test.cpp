#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "apps/align/pictures/pair_order.h"
#include "apps/common/exit_codes.h"
#include "engine/io/file.h"
#include "engine/io/json.h"
#include "engine/io/png.h"
#include "engine/random/random_key.h"
#include "tests/apps/align/align_case.h"
#include "tests/diffusion/pipeline/tiny_pipeline.h"
#include "tests/support/data_folder.h"

using namespace plumb;

namespace {

namespace fs = std::filesystem;

/// Seven pictures, each liked or not, and a small model.
struct Case : test::AlignCase {
  static constexpr int64_t kPictures = 7;

  Case() {
    fs::create_directories(dir / "data");
    for (int64_t i = 0; i < kPictures; ++i)
      write_png(dir / "data" / (std::to_string(i) + ".png"), test::noise_picture(16, 16, i));
    write_table("data", 0, 2);
    Pipeline pipeline = test::tiny_pipeline("StableDiffusionPipeline");
    test::set_model_max_length(pipeline, 7);
    save_pipeline(dir / "base", pipeline);
  }

  /// Diffusion-KTO's: every `every`-th picture from `first` on is liked.
  void write_table(const std::string& folder, int64_t first, int64_t every) const {
    const char* const prompts[] = {"a b", "ab", "b", "b a b"};
    std::string rows = "file_path,caption,label\n";
    for (int64_t i = 0; i < kPictures; ++i)
      rows += std::to_string(i) + ".png," + prompts[i % 4] + "," + (i % every == first ? "1" : "0") + "\n";
    write_file_atomic(dir / folder / "metadata.csv", rows);
  }

  int align(const std::string& data, const std::string& out, int64_t steps, Arguments more = {}) const {
    more.insert(more.begin(), "--random_flip");
    return run(data, out, steps, more);
  }

  Json last_step(const std::string& out) const {
    return *Json::parse(read_file(dir / out / "metrics.json")).find("last_step");
  }
};

PreferenceDataset judged(int64_t wanted, int64_t unwanted) {
  PreferenceDataset data;
  for (int64_t i = 0; i < wanted + unwanted; ++i)
    data.samples.push_back({.winner = {.file = std::to_string(i)}, .label = i < wanted ? 1 : -1});
  return data;
}

}  // namespace

TEST_CASE("pair order: samples judged one by one are drawn by the share, each kind round its own orders") {
  const PreferenceDataset data = judged(10, 30);
  constexpr int64_t kBatch = 5, kBatches = 400;
  for (const double share : {0.0, 0.2, 0.8, 1.0}) {
    CAPTURE(share);
    PairOrder order(data, kBatch, share, RandomKey{3});
    double wanted = 0;
    for (int64_t batch = 0; batch < kBatches; ++batch)
      for (const int64_t sample : order.at(batch)) wanted += sample < 10;
    constexpr double kDrawn = kBatch * kBatches;
    CHECK(std::abs(wanted / kDrawn - share) <= 4 * std::sqrt(share * (1 - share) / kDrawn));
  }
  PairOrder order(data, kBatch, 1, RandomKey{3}), again(data, kBatch, 0.5, RandomKey{3}),
      straight(data, kBatch, 0.5, RandomKey{3});
  std::set<int64_t> seen;
  for (const int64_t batch : {0, 1})
    for (const int64_t sample : order.at(batch)) seen.insert(sample);
  CHECK(seen.size() == 10);
  CHECK(order.winners(7) == order.at(7));
  straight.at(0);
  CHECK(straight.at(9) == again.at(9));
  for (const int64_t sample : again.winners(3)) CHECK(sample < 10);

  CHECK_THROWS_AS(PairOrder(judged(3, 0), 2, 0.5, RandomKey{}), UsageError);
  CHECK_THROWS_AS(PairOrder(judged(0, 3), 2, 0.5, RandomKey{}), UsageError);
  CHECK(PairOrder(judged(0, 3), 2, 0, RandomKey{}).winners(0).size() == 2);
  CHECK(PairOrder(judged(3, 0), 2, 1, RandomKey{}).at(0).size() == 2);
}

TEST_CASE("align pictures: samples judged one by one; resumes to the bit, labels and share decide") {
  const Case tiny;
  const Arguments kto = {"--objective", "diffusion_kto", "--proportion_empty_prompts", "0.2"};
  const auto with = [&](Arguments more) {
    more.insert(more.end(), kto.begin(), kto.end());
    return more;
  };
  REQUIRE(tiny.align("data", "whole", 6, kto) == 0);
  CHECK(tiny.weights("whole") != read_file(tiny.dir / "base/unet/diffusion_pytorch_model.safetensors"));
  CHECK(tiny.last_step("whole").find("offset"));
  for (const int64_t steps : {1, 4, 6})
    REQUIRE(tiny.align("data", "parts", steps, with({"--resume_from_checkpoint", "latest"})) == 0);
  CHECK(tiny.weights("parts") == tiny.weights("whole"));
  REQUIRE(tiny.align("data", "liked", 6, with({"--wanted_share", "1"})) == 0);
  CHECK_FALSE(tiny.last_step("liked").find("error_l"));
  CHECK(tiny.weights("liked") != tiny.weights("whole"));
  REQUIRE(tiny.align("data", "parts of it", 6,
                     with({"--set", "offset=mismatched", "--validation_steps", "2", "--num_inference_steps", "1"})) ==
          0);
  CHECK(tiny.weights("parts of it") != tiny.weights("whole"));
  // The other judgement.
  tiny.write_table("data", 1, 2);
  REQUIRE(tiny.align("data", "other", 6, kto) == 0);
  CHECK(tiny.weights("other") != tiny.weights("whole"));
}

TEST_CASE("align pictures: of samples judged one by one, what asks for pairs is refused before the folder is touched") {
  const Case tiny;
  const auto refused = [&](const Arguments& more, const std::string& named) {
    CAPTURE(named);
    try {
      tiny.align("data", "no", 1, more);
      FAIL("was not refused");
    } catch (const UsageError& error) {
      CHECK(std::string(error.what()).find(named) != std::string::npos);
    }
    CHECK_FALSE(fs::exists(tiny.dir / "no"));
  };
  refused({"--objective", "diffusion_dpo"}, "diffusion_kto");
  refused({"--objective", "sft"}, "diffusion_kto");
  refused({"--objective", "diffusion_kto", "--policy", "training_free"}, "--policy");
  refused({"--objective", "diffusion_kto", "--one_pair_per_prompt"}, "--one_pair_per_prompt");
  refused({"--objective", "diffusion_kto", "--loser_source", "not_paired"}, "--loser_source");
  refused(
      {"--objective", "diffusion_kto", "--validation_steps", "1", "--validation_data", (tiny.dir / "data").string()},
      "--validation_data");
  refused({"--objective", "mapo", "--wanted_share", "0.8"}, "--wanted_share");
  tiny.write_table("data", 0, 1);
  refused({"--objective", "diffusion_kto"}, "give 1");
  write_file_atomic(tiny.dir / "data/metadata.csv", "file_path,caption,label\n0.png,a,0\n1.png,b,0\n");
  refused({"--objective", "diffusion_kto"}, "give 0");
}
