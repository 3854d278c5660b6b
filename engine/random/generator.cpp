#include "engine/random/generator.h"

#include <cmath>

#include "engine/error.h"
#include "engine/random/distributions.h"
#include "engine/require.h"

namespace plumb {
namespace {

constexpr uint32_t kWords = 624;
constexpr uint32_t kOffset = 397;
constexpr int64_t kStateWords = 624;

inline uint32_t twist(uint32_t first, uint32_t second) {
  const uint32_t joined = (first & 0x80000000u) | (second & 0x7FFFFFFFu);
  return (joined >> 1) ^ ((0u - (second & 1u)) & 0x9908B0DFu);
}

// 24 random bits, as torch masks them: the low ones.
inline float low_uniform(uint32_t word) { return float(int32_t(word & 0xFFFFFFu)) * 0x1p-24f; }
inline double low_uniform(uint64_t word) { return double(int64_t(word & 0x1FFFFFFFFFFFFFu)) * 0x1p-53; }

inline void draw(Generator& generator, float& u) { u = low_uniform(generator.next_u32()); }
inline void draw(Generator& generator, double& u) { u = low_uniform(generator.next_u64()); }

template <class T>
void fill_uniform(Generator& generator, std::span<T> out, double low, double high) {
  require<ValueError>(std::isfinite(low) && std::isfinite(high) && low <= high,
                      "uniform: low must not exceed high, both finite (low {}, high {})", low, high);
  const T start = T(low), width = T(high) - T(low);
  for (T& x : out) {
    draw(generator, x);
    x = std::fma(x, width, start);  // torch's build fuses the two
  }
}

// Uniforms u (first eight) and v (last eight) to normals, in place.
void normal_16(float* x, float mean, float deviation) {
  for (int j = 0; j < 8; ++j) {
    const float radius = std::sqrt(-2.0f * detail::log_f32(1.0f - x[j]));
    const NormalPairF32 pair = polar_f32(radius, uint32_t(int32_t(x[j + 8] * 0x1p24f)) << 8);
    x[j] = pair.cosine * deviation + mean;
    x[j + 8] = pair.sine * deviation + mean;
  }
}

NormalPairF64 normal_pair(double u, double v) {
  return polar_f64(std::sqrt(-2.0 * detail::log_f64(1.0 - u)), uint64_t(int64_t(v * 0x1p53)) << 11);
}

void normal_16(double* x, double mean, double deviation) {
  for (int j = 0; j < 8; ++j) {
    const NormalPairF64 pair = normal_pair(x[j], x[j + 8]);
    x[j] = pair.cosine * deviation + mean;
    x[j + 8] = pair.sine * deviation + mean;
  }
}

void check_normal(double mean, double deviation) {
  require<ValueError>(deviation >= 0 && std::isfinite(deviation) && std::isfinite(mean),
                      "normal: deviation must be at least 0, both finite (mean {}, deviation {})", mean, deviation);
}

}  // namespace

Generator::Generator(uint64_t seed) {
  words_[0] = uint32_t(seed);
  for (uint32_t i = 1; i < kWords; ++i) words_[i] = 1812433253u * (words_[i - 1] ^ (words_[i - 1] >> 30)) + i;
}

void Generator::refill() {
  for (uint32_t i = 0; i < kWords - kOffset; ++i) words_[i] = words_[i + kOffset] ^ twist(words_[i], words_[i + 1]);
  for (uint32_t i = kWords - kOffset; i < kWords - 1; ++i)
    words_[i] = words_[i + kOffset - kWords] ^ twist(words_[i], words_[i + 1]);
  words_[kWords - 1] = words_[kOffset - 1] ^ twist(words_[kWords - 1], words_[0]);
  position_ = 0;
}

uint32_t Generator::next_u32() {
  if (position_ == kWords) refill();
  uint32_t word = words_[position_++];
  word ^= word >> 11;
  word ^= (word << 7) & 0x9D2C5680u;
  word ^= (word << 15) & 0xEFC60000u;
  return word ^ (word >> 18);
}

uint64_t Generator::next_u64() {
  const uint64_t high = next_u32();
  return high << 32 | next_u32();
}

void Generator::uniform(std::span<float> out, double low, double high) { fill_uniform(*this, out, low, high); }
void Generator::uniform(std::span<double> out, double low, double high) { fill_uniform(*this, out, low, high); }

double Generator::next_normal() {
  if (kept_normal_) {
    const double kept = *kept_normal_;
    kept_normal_.reset();
    return kept;
  }
  const double angle = low_uniform(next_u64()), radius = low_uniform(next_u64());
  const NormalPairF64 pair = normal_pair(radius, angle);
  kept_normal_ = pair.sine;
  return pair.cosine;
}

template <class T>
void Generator::normal_blocks(std::span<T> out, T mean, T deviation) {
  for (T& x : out) draw(*this, x);
  size_t i = 0;
  for (; i + 16 <= out.size(); i += 16) normal_16(out.data() + i, mean, deviation);
  if (i == out.size()) return;
  const std::span<T> last = out.last(16);
  for (T& x : last) draw(*this, x);
  normal_16(last.data(), mean, deviation);
}

void Generator::normal(std::span<float> out, double mean, double deviation) {
  check_normal(mean, deviation);
  if (out.size() >= 16) return normal_blocks(out, float(mean), float(deviation));
  for (float& x : out) x = float(next_normal() * deviation + mean);
}

void Generator::normal(std::span<double> out, double mean, double deviation) {
  check_normal(mean, deviation);
  if (out.size() >= 16) return normal_blocks(out, mean, deviation);
  for (double& x : out) x = next_normal() * deviation + mean;
}

void Generator::randint(std::span<int64_t> out, int64_t low, int64_t high) {
  require<ValueError>(low < high, "randint: low must be below high (low {}, high {})", low, high);
  const uint64_t range = uint64_t(high) - uint64_t(low);
  for (int64_t& x : out) {
    const uint64_t word = range >= uint64_t(1) << 28 ? next_u64() : next_u32();
    x = int64_t(uint64_t(low) + word % range);
  }
}

std::vector<int64_t> Generator::randperm(int64_t n) {
  require<ValueError>(n >= 0 && n < (int64_t(1) << 32) / 20, "randperm: n must be in [0, 2^32 / 20) ({})", n);
  std::vector<int64_t> order(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) order[size_t(i)] = i;
  for (int64_t i = 0; i + 1 < n; ++i)
    std::swap(order[size_t(i)], order[size_t(i + int64_t(next_u32() % uint64_t(n - i)))]);
  return order;
}

std::vector<int64_t> Generator::state() const {
  std::vector<int64_t> state(words_.begin(), words_.end());
  state.push_back(position_);
  state.push_back(kept_normal_.has_value());
  state.push_back(__builtin_bit_cast(int64_t, kept_normal_.value_or(0.0)));
  return state;
}

Generator Generator::restore(std::span<const int64_t> state) {
  require<ValueError>(int64_t(state.size()) == kStateSize, "generator: a state has {} integers ({})", kStateSize,
                      state.size());
  Generator generator;
  for (uint32_t i = 0; i < kWords; ++i) {
    require<ValueError>(state[i] >= 0 && state[i] <= 0xFFFFFFFF, "generator: word {} of a state must fit 32 bits ({})",
                        i, state[i]);
    generator.words_[i] = uint32_t(state[i]);
  }
  const int64_t position = state[kStateWords], kept = state[kStateWords + 1];
  require<ValueError>(position >= 0 && position <= kStateWords && (kept == 0 || kept == 1),
                      "generator: position must be in [0, 624] ({}) and the flag 0 or 1 ({})", position, kept);
  generator.position_ = uint32_t(position);
  if (kept) {
    const double normal = __builtin_bit_cast(double, state[kStateWords + 2]);
    require<ValueError>(std::abs(normal) < 10, "generator: a kept normal must be below 10 ({})", normal);
    generator.kept_normal_ = normal;
  }
  return generator;
}

}  // namespace plumb
