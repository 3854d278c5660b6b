#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "autograd/backward.h"
#include "engine/io/directory.h"
#include "nn/checkpoint.h"
#include "nn/layers/linear.h"
#include "nn/optim/adam.h"
#include "tests/support/numeric.h"

namespace plumb::test {

/// A run small enough to be saved thousands of times: weights, moments and average, all of them a function of `step`.
struct TinyRun {
  explicit TinyRun(int64_t step) : generator(7), model(9, 5, generator) {
    optimizer = std::make_unique<AdamW>(trainable(parameters(model)), AdamSettings{.weight_decay = 0.1});
    ema = std::make_unique<Ema>(parameters(model), EmaOptions{.decay = 0.9});
    for (const NamedParameter& entry : parameters(model))
      backward(entry.parameter->variable(),
               {.grad = random_tensor(entry.parameter->shape(), uint64_t(step) + 100, DType::f32)});
    optimizer->step();
    ema->update();
  }

  TrainingState state() { return {&model, optimizer.get(), ema.get()}; }

  void save(const std::filesystem::path& folder, int64_t step, int64_t keep) {
    save_checkpoint(folder, step, state(), Json::object().set("verb", "train"), keep);
  }

  std::string bits() {
    std::string all;
    for (const NamedParameter& entry : parameters(model)) all += bits_of(entry.parameter->weight());
    for (const StateDict& part : {optimizer->state_dict(), ema->state_dict()})
      for (const NamedTensor& entry : part) all += entry.name + bits_of(entry.tensor);
    return all;
  }

  Generator generator;
  Linear model;
  std::unique_ptr<AdamW> optimizer;
  std::unique_ptr<Ema> ema;
};

/// The bits that a checkpoint gives back.
inline std::string loaded_bits(const std::filesystem::path& checkpoint) {
  TinyRun run(0);
  load_checkpoint(checkpoint, run.state());
  return run.bits();
}

/// What a folder holds once the next process has cleaned it: nothing unfinished, and every checkpoint whole.
struct Recovered {
  int64_t step = -1;       ///< of the newest; -1: none
  std::string bits = {};   ///< what it gives back
  std::string fault = {};  ///< what should not be there
};

inline Recovered recover(const std::filesystem::path& folder) {
  Recovered result;
  remove_leftovers(folder);
  std::vector<std::string> broken;
  const auto found = find_checkpoint(folder, &broken);
  for (const std::string& reason : broken) result.fault += reason + "; ";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(".")) result.fault += name + " is left; ";
    if (!name.starts_with("checkpoint-")) continue;
    try {
      verify_directory(entry.path());
    } catch (const std::exception& error) {
      result.fault += error.what() + std::string("; ");
    }
  }
  if (found) {
    result.step = found->step;
    result.bits = loaded_bits(found->path);
  }
  return result;
}

}  // namespace plumb::test
