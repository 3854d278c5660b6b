#pragma once

#include <memory>
#include <string>
#include <vector>

#include "align/reference_update.h"
#include "nn/adapter.h"

namespace plumb {

/// Which weights of a network are trained, and how.
struct FineTuneOptions {
  bool use_lora = false;
  AdapterOptions adapter{.rank = 4};
  std::vector<std::string> targets =
      {};  ///< layers with an adapter, by path or its end; all that can carry one if empty
  bool moving_reference = false;
  Device device = kCpu;      ///< where the networks live
  DType dtype = DType::f32;  ///< what they compute in; weights that are trained or saved keep f32 masters
};

/// Names of the adapters of a LoRA run.
inline constexpr const char* kStudentAdapter = "student";
inline constexpr const char* kReferenceAdapter = "reference";

/// Brings a network to the device and the type that computes, with masters.
void place(Denoiser& network, const FineTuneOptions& options);

/// Student, initial model and moving reference of a fine-tuning run of any denoiser. Fully fine-tuned, the student is a
/// copy of the network; with LoRA all of them are views of one network.
class FineTuned {
 public:
  /// Throws ValueError when no layer has one of the targets.
  FineTuned(std::unique_ptr<Denoiser> network, const FineTuneOptions& options, const RandomKey& key);

  Denoiser& student() { return *student_; }
  Denoiser& initial() { return *initial_; }
  /// The initial model's weights, with LoRA below its adapters.
  Denoiser& network() { return *network_; }
  bool use_lora() const { return use_lora_; }

  /// What an optimiser takes.
  ParameterList trained();
  /// What a checkpoint holds: the student, with LoRA the network and its adapters.
  Module& kept() { return use_lora_ ? *network_ : *student_; }
  MovingReference moving();
  /// The model as it is now, in f32 on the CPU: the student, with LoRA the network, its adapter merged into the weights
  /// when `merged` and left out when not. Leaves this object without a network.
  std::unique_ptr<Denoiser> take(bool merged);

 private:
  std::unique_ptr<Denoiser> network_;
  bool use_lora_;
  std::unique_ptr<Denoiser> student_, view_, moving_;
  Denoiser* initial_ = nullptr;
};

}  // namespace plumb
