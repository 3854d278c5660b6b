#include "nn/checkpoint_writer.h"

#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "engine/error.h"
#include "engine/io/file.h"
#include "nn/layers/linear.h"
#include "nn/optim/adam.h"
#include "tests/support/numeric.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using namespace plumb::test;

namespace fs = std::filesystem;

namespace {

struct Run {
  Run() : generator(1), model(37, 11, generator), optimizer(parameters(model), {}), ema(parameters(model), {}) {}

  TrainingState state() { return {&model, &optimizer, &ema, {{"more", from_vector<float>({1, 2, 3}, {3})}}}; }
  void step(uint64_t number) {
    optimizer.zero_grad();
    for (const NamedParameter& entry : parameters(model))
      backward(entry.parameter->variable(), {.grad = random_tensor(entry.parameter->shape(), number, DType::f32)});
    optimizer.step();
    ema.update();
  }

  Generator generator;
  Linear model;
  AdamW optimizer;
  Ema ema;
};

std::string bytes_of(const fs::path& checkpoint) {
  std::string all;
  for (const char* name : {"model", "optimizer", "ema", "more"})
    all += read_file(checkpoint / (std::string(name) + ".safetensors"));
  return all;
}

}  // namespace

TEST_CASE("checkpoint writer: what is written is the state at the call, whatever training does meanwhile") {
  const TempDir folder;
  Run run;
  run.step(1);
  save_checkpoint(folder / "at_once", 1, run.state(), Json::object());
  for (const int64_t most_copied : {CheckpointWriter::kMostCopied, int64_t(0)}) {
    Run same;
    same.step(1);
    CheckpointWriter writer(most_copied);
    const fs::path behind = folder / ("behind" + std::to_string(most_copied));
    writer.write(behind, 1, same.state(), Json::object().set("run", "x"));
    same.step(2);
    writer.write(behind, 2, same.state(), Json::object(), 1);
    same.step(3);
    writer.finish();
    CHECK(find_checkpoint(behind)->step == 2);
    CHECK_FALSE(fs::exists(behind / "checkpoint-1"));  // pruned by the second
    writer.write(behind, 3, same.state(), Json::object(), 0);
    writer.finish();
    Run again;
    again.step(1);
    writer.write(behind, 4, again.state(), Json::object(), 0);
    writer.finish();
    CHECK(bytes_of(behind / "checkpoint-4") == bytes_of(folder / "at_once" / "checkpoint-1"));
    CHECK(bytes_of(behind / "checkpoint-3") != bytes_of(behind / "checkpoint-4"));
  }
}

TEST_CASE("checkpoint writer: a failure is told at the next call, once") {
  const TempDir folder;
  Run run;
  CheckpointWriter writer;
  write_file_atomic(folder / "file", "not a folder");
  writer.write(folder / "file", 1, run.state(), Json::object());
  CHECK_THROWS_AS(writer.finish(), Error);
  writer.finish();
  writer.write(folder / "file", 2, run.state(), Json::object());
  CHECK_THROWS_AS(writer.write(folder / "good", 3, run.state(), Json::object()), Error);
  writer.write(folder / "good", 3, run.state(), Json::object());
  writer.finish();
  writer.check();
  CHECK(find_checkpoint(folder / "good")->step == 3);
}

TEST_CASE("checkpoint writer: the end of its life waits for what it writes") {
  const TempDir folder;
  Run run;
  { CheckpointWriter().write(folder.path(), 5, run.state(), Json::object()); }
  CHECK(find_checkpoint(folder.path())->step == 5);
}
