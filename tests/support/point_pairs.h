#pragma once

#include <memory>
#include <vector>

#include "align/preference_step.h"
#include "diffusion/point_denoiser.h"
#include "engine/ops/random/random.h"

// A small preference-tuning setup in the 2D world, and a denoiser that writes down what it was asked.

namespace plumb::test {

/// Passes every call on and keeps its arguments.
class RecordingDenoiser final : public Denoiser {
 public:
  struct Call {
    Tensor x, t;
    Condition condition;
  };

  explicit RecordingDenoiser(Denoiser& inner) : inner_(&inner) {}
  explicit RecordingDenoiser(const RecordingDenoiser&) = default;

  Variable predict(const Variable& x, const Tensor& t, const Condition& condition) override {
    calls.push_back({x.value(), t, condition});
    return inner_->predict(x, t, condition);
  }
  void visit(ModuleVisitor& visitor) override { inner_->visit(visitor); }
  std::unique_ptr<Module> clone_module() const override { return std::make_unique<RecordingDenoiser>(*this); }

  std::vector<Call> calls;

 private:
  Denoiser* inner_;
};

inline PointDenoiser small_denoiser(uint64_t seed) {
  Generator generator(seed);
  return PointDenoiser({.time_features = 8, .class_features = 4, .hidden = 16, .hidden_layers = 2}, generator);
}

/// A batch of pairs with what noises it. Winner i is of class i mod K, its loser of the next class.
struct PointPairs {
  explicit PointPairs(int64_t count, DType dtype = DType::f32, uint64_t seed = 7) {
    const RandomKey key{seed};
    Tensor own = empty({count}, DType::i64), other = empty({count}, DType::i64);
    for (int64_t i = 0; i < count; ++i) {
      own.mutable_data<int64_t>()[i] = i % world.classes();
      other.mutable_data<int64_t>()[i] = (i + 1) % world.classes();
    }
    batch = {world.sample_clean(own, key.fork("winners")).to(dtype),
             world.sample_clean(other, key.fork("losers")).to(dtype),
             {.labels = own},
             {.labels = other}};
    t = randint(key.fork("t"), 0, schedule.num_train_timesteps(), {count});
    noise = randn(key.fork("noise"), {count, 2}, dtype);
    loser_noise = randn(key.fork("loser noise"), {count, 2}, dtype);
  }

  Gaussians2d world;
  NoiseSchedule schedule{{100, BetaSchedule::linear, 1e-3, 0.2}};
  PreferencePairs batch;
  Tensor t, noise, loser_noise;
};

}  // namespace plumb::test
