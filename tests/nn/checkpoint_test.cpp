#include "nn/checkpoint.h"

#include <doctest/doctest.h>

#include <fstream>

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

/// A model with its optimiser and average.
struct Run {
  explicit Run(uint64_t seed, DType dtype = DType::f32) : generator(seed), model(5, 3, generator) {
    to_dtype(model, dtype);
    optimizer = std::make_unique<AdamW>(trainable(parameters(model)), AdamSettings{.weight_decay = 0.1});
    ema = std::make_unique<Ema>(parameters(model), EmaOptions{.decay = 0.9});
  }

  TrainingState state() { return {&model, optimizer.get(), ema.get()}; }

  void step(uint64_t number) {
    optimizer->zero_grad();
    for (const NamedParameter& entry : parameters(model))
      backward(entry.parameter->variable(),
               {.grad = random_tensor(entry.parameter->shape(), number + 100, entry.parameter->dtype())});
    optimizer->step();
    ema->update();
  }

  std::string bits() {
    std::string all;
    for (const NamedParameter& entry : parameters(model))
      all += bits_of(entry.parameter->value()) + bits_of(entry.parameter->weight());
    for (const StateDict& part : {optimizer->state_dict(), ema->state_dict()})
      for (const NamedTensor& entry : part) all += entry.name + bits_of(entry.tensor);
    return all;
  }

  Generator generator;
  Linear model;
  std::unique_ptr<AdamW> optimizer;
  std::unique_ptr<Ema> ema;
};

void flip_last_byte(const fs::path& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(-1, std::ios::end);
  const char byte = char(file.get() ^ 1);
  file.seekp(-1, std::ios::end);
  file.put(byte);
}

}  // namespace

TEST_CASE("checkpoint: a resumed run has every bit of the one that was saved, and goes on with the same bits") {
  for (DType dtype : {DType::f32, DType::bf16}) {
    const TempDir folder;
    Run first(1, dtype);
    for (uint64_t i = 0; i < 4; ++i) first.step(i);
    save_checkpoint(folder.path(), 4, first.state(), Json::object().set("seed", 1));
    const std::string saved = first.bits();
    for (uint64_t i = 4; i < 8; ++i) first.step(i);

    Run second(2, dtype);
    CHECK(second.bits() != saved);
    const auto found = find_checkpoint(folder.path());
    REQUIRE(found.has_value());
    CHECK(found->step == 4);
    CHECK(found->manifest.at("seed").as_integer() == 1);
    load_checkpoint(found->path, second.state());
    CHECK(second.bits() == saved);
    for (uint64_t i = 4; i < 8; ++i) second.step(i);
    CHECK(second.bits() == first.bits());
  }
}

TEST_CASE("checkpoint: further tensors come back, and are absent when there were none") {
  const TempDir folder;
  Run run(1);
  TrainingState state = run.state();
  save_checkpoint(folder.path(), 1, state, Json::object());
  CHECK(load_more(folder / "checkpoint-1").empty());
  state.more = {{"b", from_vector<double>({1.5, -2}, {2})}, {"a", from_vector<int64_t>({7}, {1})}};
  save_checkpoint(folder.path(), 2, state, Json::object());
  const StateDict more = load_more(folder / "checkpoint-2");
  REQUIRE(more.size() == 2);
  for (const NamedTensor& named : more)
    CHECK(bits_of(named.tensor) == bits_of(state.more[named.name == "b" ? 0 : 1].tensor));
  flip_last_byte(folder / "checkpoint-2" / "more.safetensors");
  CHECK(find_checkpoint(folder.path())->step == 1);
}

TEST_CASE("checkpoint: the newest is found, and broken ones are passed over and named") {
  const TempDir folder;
  CHECK_FALSE(find_checkpoint(folder.path()).has_value());
  CHECK_FALSE(find_checkpoint(folder / "absent").has_value());
  Run run(1);
  for (int64_t step : {9, 10, 11}) save_checkpoint(folder.path(), step, run.state(), Json::object());
  fs::create_directory(folder / "checkpoint-later");  // not a number: not ours
  CHECK(find_checkpoint(folder.path())->step == 11);
  CHECK(find_checkpoint(folder.path(), nullptr, 10)->step == 10);
  CHECK(find_checkpoint(folder.path(), nullptr, 9)->step == 9);
  CHECK_FALSE(find_checkpoint(folder.path(), nullptr, 8).has_value());
  flip_last_byte(folder / "checkpoint-11" / "model.safetensors");
  fs::remove(folder / "checkpoint-10" / "manifest.json");
  std::vector<std::string> broken;
  const auto found = find_checkpoint(folder.path(), &broken);
  REQUIRE(found.has_value());
  CHECK(found->step == 9);
  REQUIRE(broken.size() == 2);
  CHECK(broken[0].find("checkpoint-11") != std::string::npos);
  CHECK(broken[0].find("model.safetensors") != std::string::npos);
  CHECK(broken[1].find("checkpoint-10") != std::string::npos);
}

TEST_CASE("checkpoint: a folder that cannot be listed is no empty folder") {
  const TempDir folder;
  write_file_atomic(folder / "file", "x");
  CHECK_THROWS_WITH_AS(find_checkpoint(folder / "file"),
                       ("checkpoint: folder cannot be listed (Not a directory); " + (folder / "file").string()).c_str(),
                       IoError);
}

TEST_CASE("checkpoint: the oldest go once the new one is whole, and not before") {
  const TempDir folder;
  Run run(1);
  for (int64_t step : {1, 2, 10}) save_checkpoint(folder.path(), step, run.state(), Json::object(), 2);
  CHECK_FALSE(fs::exists(folder / "checkpoint-1"));
  CHECK(fs::exists(folder / "checkpoint-2"));
  CHECK(fs::exists(folder / "checkpoint-10"));
  // A save that fails (the manifest keeps "files" for itself) leaves what there was.
  CHECK_THROWS_AS(save_checkpoint(folder.path(), 11, run.state(), Json::object().set("files", 1), 1), ValueError);
  CHECK(fs::exists(folder / "checkpoint-2"));
  CHECK(fs::exists(folder / "checkpoint-10"));
  CHECK(folder.entries() == 2);
}

TEST_CASE("checkpoint: later ones that a resumed run left behind never push out the one just written") {
  const TempDir folder;
  Run run(1);
  for (int64_t step : {3, 5}) save_checkpoint(folder.path(), step, run.state(), Json::object());
  flip_last_byte(folder / "checkpoint-5" / "model.safetensors");
  REQUIRE(find_checkpoint(folder.path())->step == 3);  // the run goes on from here
  save_checkpoint(folder.path(), 4, run.state(), Json::object(), 1);
  CHECK_FALSE(fs::exists(folder / "checkpoint-3"));
  REQUIRE(find_checkpoint(folder.path()).has_value());
  CHECK(find_checkpoint(folder.path())->step == 4);
}

TEST_CASE("checkpoint: refuses a state of another shape and changes nothing") {
  const TempDir folder;
  Run run(1);
  save_checkpoint(folder.path(), 1, run.state(), Json::object());
  Generator generator(2);
  Linear other(4, 3, generator);
  AdamW optimizer(trainable(parameters(other)));
  const std::string before = bits_of(parameters(other)[0].parameter->value());
  CHECK_THROWS_AS(load_checkpoint(folder / "checkpoint-1", {&other, &optimizer, nullptr}), ValueError);
  CHECK(bits_of(parameters(other)[0].parameter->value()) == before);
}
