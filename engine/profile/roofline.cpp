// The best of a few short runs each: what an undisturbed op could reach. The triad runs over memory of its own, taken
// from the system and given back, so that the allocator's statistics stay those of the program.

#include "engine/profile/roofline.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include "engine/isa/kernels.h"
#include "engine/parallel.h"

namespace plumb {
namespace {

constexpr int64_t kRounds = 20000;  // about 0.1 ms
constexpr int kRuns = 8;
// Measured on half as much as the level stands for, well inside its cache; the last on more than most caches hold.
constexpr int64_t kLevels[] = {int64_t(32) << 10, int64_t(3) << 19, int64_t(24) << 20, int64_t(192) << 20};

template <class F>
double seconds_of(F&& body) {
  const auto begin = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

template <class F>
double least_seconds(int runs, F&& body) {
  double best = 1e30;
  for (int i = 0; i < runs; ++i) best = std::min(best, seconds_of(body));
  return best;
}

double measure_flops(int threads) {
  const PeakKernels& peak = kernels().peak;
  const double seconds = least_seconds(2 * kRuns, [&] {
    parallel_for(threads, 1, [&](int64_t, int64_t) {
      float sink = 0;
      peak.multiply_adds(kRounds, &sink);
      volatile float kept = sink;
      (void)kept;
    });
  });
  return double(threads) * double(kRounds) * double(peak.flops_per_round) / seconds;
}

double measure_triad(float* memory, int64_t bytes, int threads) {
  const int64_t each = std::max<int64_t>(16, bytes / (3 * int64_t(sizeof(float)) * threads)) / 16 * 16;
  const int64_t repeats = std::max<int64_t>(1, (int64_t(4) << 20) / bytes);
  const double seconds = least_seconds(bytes > (int64_t(32) << 20) ? 2 : kRuns, [&] {
    parallel_for(threads, 1, [&](int64_t thread, int64_t) {
      float* a = memory + 3 * each * thread;
      for (int64_t i = 0; i < repeats; ++i) kernels().peak.triad(a, a + each, a + 2 * each, 0.5f, each);
    });
  });
  return double(3 * each * threads) * double(sizeof(float)) * double(repeats) / seconds;
}

}  // namespace

double Roofline::bandwidth(int64_t bytes) const {
  for (const Level& level : levels)
    if (bytes <= level.bytes) return level.bytes_per_second;
  return levels.empty() ? 0 : levels.back().bytes_per_second;
}

double Roofline::floor_seconds(int64_t flops, int64_t bytes, DType dtype) const {
  if (flops_per_second <= 0 || levels.empty()) return 0;
  const double peak = dtype == DType::f64 ? flops_per_second / 2 : flops_per_second;
  return std::max(double(flops) / peak, double(bytes) / bandwidth(bytes));
}

double Roofline::floor_seconds(const ProfileEvent& event) const {
  const Operand& operand = event.input_count > 0 ? event.inputs[0] : event.output;
  return floor_seconds(event.flops, event.bytes(), operand.dtype);
}

Roofline measure_roofline() {
  Roofline roofline{.isa = isa_name(), .threads = num_threads()};
  roofline.flops_per_second = measure_flops(roofline.threads);
  const int64_t largest = *std::max_element(std::begin(kLevels), std::end(kLevels)) / 2;
  const std::unique_ptr<float[]> memory(new float[size_t(largest) / sizeof(float)]);
  std::fill_n(memory.get(), size_t(largest) / sizeof(float), 1.0f);
  for (int64_t bytes : kLevels)
    roofline.levels.push_back({bytes, measure_triad(memory.get(), bytes / 2, roofline.threads)});
  // Noise must not make a larger working set look faster than a smaller one.
  for (size_t i = roofline.levels.size() - 1; i > 0; --i) {
    Roofline::Level& smaller = roofline.levels[i - 1];
    smaller.bytes_per_second = std::max(smaller.bytes_per_second, roofline.levels[i].bytes_per_second);
  }
  return roofline;
}

}  // namespace plumb
