#include "apps/sample/picture_files.h"

#include <doctest/doctest.h>

using namespace plumb;

TEST_CASE("picture files: parameters as other programs read them") {
  PictureFacts facts{.prompt = "a red ball",
                     .negative = "blue",
                     .seed = 7,
                     .steps = 20,
                     .width = 64,
                     .height = 32,
                     .guidance_scale = 7.5,
                     .sampler = "Euler a",
                     .model = "sd",
                     .rng = "torch"};
  CHECK(parameters_text(facts) ==
        "a red ball\nNegative prompt: blue\nSteps: 20, Sampler: Euler a, CFG scale: 7.5, Seed: 7, Size: 64x32, Model: "
        "sd, RNG: torch");
  facts.prompt = facts.negative = "";
  facts.label = 3;
  CHECK(parameters_text(facts).starts_with("Steps: 20, "));
  CHECK(metadata_line("0.png", facts).at("class").as_integer() == 3);
}
