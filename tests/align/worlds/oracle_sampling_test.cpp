// The samplers with a perfect network: the exact noise prediction of the 2D world.

#include <doctest/doctest.h>

#include <cmath>

#include "align/worlds/gaussians2d.h"
#include "diffusion/sampler/sampler.h"
#include "engine/ops.h"
#include "engine/ops/random/random.h"

using namespace plumb;

namespace {

class Oracle final : public Denoiser {
 public:
  Oracle(const Gaussians2d& world, const NoiseSchedule& schedule) : world_(world), schedule_(schedule) {}
  explicit Oracle(const Oracle&) = default;

  Variable predict(const Variable& x, const Tensor& t, const Condition& condition) override {
    return world_.clean_noise(schedule_, x.value(), t.to(DType::i64), condition.labels);
  }
  void visit(ModuleVisitor&) override {}
  std::unique_ptr<Module> clone_module() const override { return std::make_unique<Oracle>(*this); }

 private:
  const Gaussians2d& world_;
  const NoiseSchedule& schedule_;
};

/// Mean and standard deviation (over both axes) of samples [count, 2].
struct Moments {
  double mean[2] = {}, deviation = 0;
};

Moments moments_of(const Tensor& samples) {
  const std::vector<double> x = samples.to_vector<double>();
  const double count = double(samples.size(0));
  Moments m;
  double square = 0;
  for (size_t i = 0; i < x.size(); ++i) m.mean[i % 2] += x[i] / count;
  for (size_t i = 0; i < x.size(); ++i) square += std::pow(x[i] - m.mean[i % 2], 2);
  m.deviation = std::sqrt(square / (2 * count));
  return m;
}

}  // namespace

TEST_CASE("sampler: a perfect denoiser sampled by DDIM or DDPM reproduces every clean mode") {
  const Gaussians2d world;
  const NoiseSchedule schedule({100, BetaSchedule::linear, 1e-3, 0.2});
  Oracle oracle(world, schedule);
  const int64_t count = 2000;
  const Tensor labels = labels_by_class(world.classes(), count);
  const SamplerStart start{.noise = randn(RandomKey{4}, {labels.size(0), 2}), .condition = {.labels = labels}};
  for (const SamplerOptions& options : {SamplerOptions{.kind = SamplerKind::ddim, .steps = 50},
                                        SamplerOptions{.kind = SamplerKind::ddpm, .steps = 100}}) {
    const Tensor samples = sample(oracle, schedule, start, options);
    for (int64_t k = 0; k < world.classes(); ++k) {
      CAPTURE(k);
      const Moments m = moments_of(slice(samples, 0, k * count, (k + 1) * count));
      const double sigma = world.options().sigma;
      // Four standard errors of the mean of 2000 samples are 0.09 sigma, of the spread 0.045; finite steps add a
      // little.
      for (size_t d = 0; d < 2; ++d) CHECK(std::abs(m.mean[d] - world.center(k)[d]) <= 0.12 * sigma);
      CHECK(std::abs(m.deviation / sigma - 1) <= 0.06);
    }
  }
}
