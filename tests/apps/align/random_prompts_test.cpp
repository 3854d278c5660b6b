#include "apps/align/pictures/random_prompts.h"

#include <doctest/doctest.h>

#include "apps/common/exit_codes.h"
#include "engine/io/file.h"
#include "engine/io/png.h"
#include "nn/data/metadata_file.h"
#include "tests/apps/align/align_case.h"
#include "tests/diffusion/pipeline/tiny_pipeline.h"
#include "tests/support/data_folder.h"
#include "tests/support/sanitized.h"

using namespace plumb;
using plumb::test::kSanitized;

namespace {

namespace fs = std::filesystem;

/// Four pairs in folders that differ in their prompts alone, and a small model.
struct Case : test::AlignCase {
  explicit Case(const std::string& class_name) {
    fs::create_directories(dir / "pictures");
    for (int64_t i = 0; i < 8; ++i)
      write_png(dir / "pictures" / (std::to_string(i) + ".png"), test::noise_picture(16, 16, i));
    const char* const prompts[] = {"a b", "ab", "b a b", "b"};
    write_data(
        "own", [&](int64_t i) { return std::string(prompts[i]); }, "a");
    write_data(
        "same", [](int64_t) { return "b b"; }, "b");
    write_data(
        "bare", [](int64_t) { return "b b"; }, "");
    write_file_atomic(dir / "one.jsonl", R"({"prompt": "b b", "neg_prompts": ["b"]})");
    write_file_atomic(dir / "list.jsonl",
                      "{\"prompt\": \"b b\", \"neg_prompts\": [\"b\", \"\"]}\n{\"prompt\": \"a\", \"neg_prompts\": "
                      "[\"b a\"]}\n");
    Pipeline pipeline = test::tiny_pipeline(class_name);
    test::set_model_max_length(pipeline, 7);
    save_pipeline(dir / "base", pipeline);
  }

  template <class PromptOf>
  void write_data(const std::string& folder, PromptOf&& prompt_of, const std::string& negative) const {
    fs::copy(dir / "pictures", dir / folder);
    std::string rows;
    for (int64_t i = 0; i < 4; ++i) {
      const std::string n = std::to_string(i);
      rows += "{\"id\": \"" + n + "\", \"prompt\": \"" + prompt_of(i) + "\", " +
              (negative.empty() ? "" : "\"neg_prompt\": \"" + negative + "\", ") + "\"pos_file\": \"" + n +
              ".png\", \"neg_file\": \"" + std::to_string(i + 4) + ".png\"}\n";
    }
    write_file_atomic(dir / folder / "metadata.jsonl", rows);
  }

  int align(const std::string& data, const std::string& out, int64_t steps, Arguments more) const {
    more.insert(more.begin(), {"--objective", "ddspo"});
    return run(data, out, steps, more);
  }
  /// With random conditions of probability `share` from a list.
  int align(const std::string& data, const std::string& out, int64_t steps, const std::string& list,
            const std::string& share, Arguments more = {}) const {
    more.insert(more.end(), {"--policy", "training_free", "--random_condition", "constant", "--random_prompts",
                             (dir / list).string(), "--random_condition_probability", share});
    return align(data, out, steps, more);
  }

  /// Loss and norm of the gradient of every step.
  std::vector<double> logged(const std::string& out) const {
    std::vector<double> values;
    for (const MetadataRow& row : read_metadata(dir / out / "log.jsonl"))
      if (row.fields.find("grad_norm"))
        for (const char* name : {"loss", "grad_norm"}) values.push_back(row.fields.at(name).as_number());
    return values;
  }
};

}  // namespace

TEST_CASE("align pictures: random conditions are as if the pairs had those prompts") {
  const int64_t steps = kSanitized ? 1 : 3;
  // SDXL is told the pictures' sizes beside the prompt.
  for (const char* class_name : {"StableDiffusionPipeline", "StableDiffusionXLPipeline"}) {
    CAPTURE(class_name);
    const Case tiny(class_name);
    const Arguments training_free = {"--policy", "training_free"};
    REQUIRE(tiny.align("own", "own out", steps, training_free) == 0);
    REQUIRE(tiny.align("same", "same out", steps, training_free) == 0);
    REQUIRE(tiny.align("own", "never", steps, "one.jsonl", "0") == 0);
    REQUIRE(tiny.align("own", "always", steps, "one.jsonl", "1") == 0);
    CHECK(tiny.weights("never") == tiny.weights("own out"));
    CHECK(tiny.weights("always") == tiny.weights("same out"));
    CHECK(tiny.weights("always") != tiny.weights("never"));
    // A pair without c- is enough where what is not replaced takes the noise as target; never replaced, it is the
    // forward process.
    REQUIRE(tiny.align("same", "forward", steps, {"--set", "beta=100"}) == 0);
    REQUIRE(tiny.align("bare", "mixed", steps, "list.jsonl", "0", {"--random_condition_noise", "--set", "beta=100"}) ==
            0);
    REQUIRE(tiny.align("own", "another", steps, {"--set", "beta=100"}) == 0);
    // The first step, since networks that see batches of other sizes round otherwise, which AdamW enlarges where a
    // gradient is almost 0.
    const std::vector<double> forward = tiny.logged("forward"), mixed = tiny.logged("mixed"),
                              another = tiny.logged("another");
    for (size_t i = 0; i < 2; ++i) CHECK(mixed[i] == doctest::Approx(forward[i]).epsilon(1e-3));
    CHECK(another[1] != doctest::Approx(forward[1]).epsilon(2e-3));
    CHECK_THROWS_AS(tiny.align("bare", "no", 3, "list.jsonl", "0"), UsageError);
  }
}

TEST_CASE("align pictures: with random conditions a run resumes to the bit, and its list may not change") {
  const Case tiny("StableDiffusionPipeline");
  REQUIRE(tiny.align("own", "whole", 4, "list.jsonl", "0.5") == 0);
  REQUIRE(tiny.align("own", "parts", 1, "list.jsonl", "0.5", {"--checkpointing_steps", "1"}) == 0);
  const Arguments go_on = {"--resume_from_checkpoint", "latest"};
  CHECK_THROWS_AS(tiny.align("own", "parts", 4, "one.jsonl", "0.5", go_on), UsageError);
  fs::rename(tiny.dir / "list.jsonl", tiny.dir / "moved.jsonl");
  REQUIRE(tiny.align("own", "parts", 4, "moved.jsonl", "0.5", go_on) == 0);
  CHECK(tiny.weights("parts") == tiny.weights("whole"));
}

TEST_CASE("align pictures: random conditions that do not fit are refused before the folder is touched") {
  const Case tiny("DDPMPipeline");
  const auto refused = [&](const Arguments& more) {
    CHECK_THROWS_AS(tiny.align("own", "no", 1, more), UsageError);
    CHECK_FALSE(fs::exists(tiny.dir / "no"));
  };
  const std::string list = (tiny.dir / "list.jsonl").string();
  refused({"--random_condition", "sigmoid"});
  refused({"--random_prompts", list});
  refused({"--random_condition", "sigmoid", "--random_prompts", list});  // the network is told nothing
  write_file_atomic(list, "{\"prompt\": \"a\"}\n");
  CHECK_THROWS_AS(tiny.align("own", "no", 1, {"--random_condition", "sigmoid", "--random_prompts", list}), ValueError);
  CHECK_FALSE(fs::exists(tiny.dir / "no"));
}
