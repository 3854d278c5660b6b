#include "apps/common/picture_memory.h"

#include <doctest/doctest.h>

#include "apps/common/exit_codes.h"
#include "autograd/backward.h"
#include "autograd/ops/loss.h"
#include "engine/allocator.h"
#include "nn/optim/adafactor.h"
#include "tests/diffusion/pipeline/tiny_pipeline.h"
#include "tests/support/numeric.h"

using namespace plumb;
using plumb::test::message_of;
using plumb::test::random_tensor;
using plumb::test::tiny_pipeline;

namespace {

/// Bytes that a step takes besides weights and gradients.
double measured(Pipeline& pipeline, int64_t batch, int64_t side, bool checkpointing) {
  pipeline.unet->set_gradient_checkpointing(checkpointing);
  const Variable x(random_tensor({batch, 4, side, side}, 1, DType::f32));
  const Condition condition{.labels = {}, .context = random_tensor({batch, 5, 64}, 2, DType::f32)};
  const Tensor target = random_tensor({batch, 4, side, side}, 3, DType::f32), t = full({batch}, 7);
  int64_t before = 0;
  for (int round = 0; round < 2; ++round) {  // the first makes the gradients' memory
    before = allocator_statistics().allocated_bytes;
    reset_peak_memory();
    backward(mse(pipeline.unet->predict(x, t, condition), target));
  }
  return double(allocator_statistics().peak_allocated_bytes - before);
}

/// Of an Adafactor that is made.
int64_t bytes_of_state(const ParameterList& trained) {
  int64_t bytes = 0;
  for (const NamedTensor& each : Adafactor(trained).state_dict())
    if (each.name != "step" && each.name != "learning_rate")
      bytes += each.tensor.numel() * size_of(each.tensor.dtype());
  return bytes;
}

}  // namespace

TEST_CASE("picture memory: what a step keeps is foreseen to within a factor") {
  Pipeline pipeline = tiny_pipeline("StableDiffusionPipeline");
  for (const bool checkpointing : {false, true})
    for (const int64_t batch : {1, 3}) {
      const int64_t side = 24;
      const PictureWork work{.batch = batch, .height = 2 * side, .width = 2 * side, .checkpointing = checkpointing};
      const double foreseen = double(predict_memory(pipeline, work).activations);
      const double took = measured(pipeline, batch, side, checkpointing);
      CAPTURE(checkpointing);
      CAPTURE(batch);
      CAPTURE(foreseen / took);
      CHECK(foreseen > 0.6 * took);
      CHECK(foreseen < 2.0 * took);
    }
}

TEST_CASE("picture memory: parts, and what changes them") {
  const Pipeline pipeline = tiny_pipeline("StableDiffusionPipeline");
  int64_t all = 0;
  for (const PipelineModule& each : modules_of(pipeline)) all += count(parameters(*each.module));
  PictureWork work{.batch = 2, .average = true};
  const PictureMemory m = predict_memory(pipeline, work);
  CHECK(m.weights == 4 * all);
  CHECK(m.parameters == count(parameters(*pipeline.unet)));
  CHECK(m.gradients == 4 * m.parameters);
  CHECK(m.optimizer == 8 * m.parameters);
  CHECK(m.average == 4 * m.parameters);
  work.adafactor = true;
  ParameterList trained = parameters(*pipeline.unet);
  CHECK(predict_memory(pipeline, work).optimizer == bytes_of_state(trained));
  CHECK(predict_memory(pipeline, work).optimizer < m.optimizer / 2);
  work.text_encoder = true;
  for (const NamedParameter& each : parameters(*pipeline.text_encoder)) trained.push_back(each);
  CHECK(predict_memory(pipeline, work).optimizer == bytes_of_state(trained));
  work.text_encoder = work.adafactor = false;
  work.checkpointing = true;
  CHECK(predict_memory(pipeline, work).activations < m.activations);
  work.adapter_parameters = 100;
  CHECK(predict_memory(pipeline, work).gradients == 400);
  work.frozen_copies = 2;
  CHECK(predict_memory(pipeline, work).weights == 4 * (all + 100 + 2 * m.parameters));
  work = {.training = false, .batch = 2};
  CHECK(predict_memory(pipeline, work).gradients == 0);
  CHECK(predict_memory(pipeline, work).activations < m.activations);
}

TEST_CASE("picture memory: work that does not fit is refused, with what would") {
  const Pipeline pipeline = tiny_pipeline("StableDiffusionPipeline");
  const PictureWork work{.batch = 64};
  const PictureMemory m = predict_memory(pipeline, work);
  CHECK_NOTHROW(require_memory("train", pipeline, work, m.total()));
  CHECK_THROWS_AS(require_memory("train", pipeline, work, m.total() - 1), UsageError);
  const auto message = [&](int64_t available) {
    return message_of([&] { require_memory("train", pipeline, work, available); });
  };
  CHECK(message(m.total() - 1).find("--gradient_checkpointing needs") != std::string::npos);
  CHECK(message(m.total() - m.activations * 9 / 10).find("a batch of ") != std::string::npos);
  CHECK(message(1000).find("use a smaller model") != std::string::npos);
  CHECK(machine_memory() > int64_t(1) << 28);
}
