#include "engine/random/generator.h"

#include <algorithm>
#include <cmath>

#include "engine/error.h"
#include "engine/isa/kernels.h"
#include "engine/random/distributions.h"
#include "engine/require.h"

namespace plumb {
namespace {

constexpr uint32_t kWords = 624;
constexpr int64_t kStateWords = 624;

/// Floats drawn at once; a multiple of 16.
constexpr size_t kBulk = 1024;

// 53 random bits, as torch masks them: the low ones.
inline double low_uniform(uint64_t word) { return double(int64_t(word & 0x1FFFFFFFFFFFFFu)) * 0x1p-53; }

template <class T>
struct Interval {
  Interval(double low, double high) : start(T(low)), width(T(high) - T(low)) {
    require<ValueError>(std::isfinite(low) && std::isfinite(high) && low <= high,
                        "uniform: low must not exceed high, both finite (low {}, high {})", low, high);
  }
  T start, width;
};

// Uniforms u (first eight of sixteen) and v (last eight) to normals, in place.
void normals(std::span<float> x, float mean, float deviation) {
  kernels().random.torch_normal(x.data(), int64_t(x.size()), mean, deviation);
}

NormalPairF64 normal_pair(double u, double v) {
  return polar_f64(std::sqrt(-2.0 * detail::log_f64(1.0 - u)), uint64_t(int64_t(v * 0x1p53)) << 11);
}

void normals(std::span<double> x, double mean, double deviation) {
  for (size_t i = 0; i < x.size(); i += i % 8 == 7 ? 9 : 1) {
    const NormalPairF64 pair = normal_pair(x[i], x[i + 8]);
    x[i] = pair.cosine * deviation + mean;
    x[i + 8] = pair.sine * deviation + mean;
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
  kernels().random.twist(words_.data());
  position_ = 0;
}

void Generator::next_words(std::span<uint32_t> out) {
  for (size_t done = 0; done < out.size();) {
    if (position_ == kWords) refill();
    const size_t count = std::min(out.size() - done, size_t(kWords - position_));
    kernels().random.temper(words_.data() + position_, int64_t(count), out.data() + done);
    position_ += uint32_t(count);
    done += count;
  }
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

void Generator::uniform(std::span<float> out, double low, double high) {
  const Interval<float> interval(low, high);
  uint32_t words[kBulk];
  for (size_t done = 0; done < out.size(); done += kBulk) {
    const std::span<float> part = out.subspan(done, std::min(kBulk, out.size() - done));
    next_words({words, part.size()});
    kernels().random.torch_uniform(words, int64_t(part.size()), interval.start, interval.width, part.data());
  }
}

void Generator::uniform(std::span<double> out, double low, double high) {
  const Interval<double> interval(low, high);
  for (double& x : out) x = std::fma(low_uniform(next_u64()), interval.width, interval.start);  // as torch's build
}

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
  const size_t rest = out.size() % 16;
  uniform(out);
  normals(out.first(out.size() - rest), mean, deviation);
  if (rest == 0) return;
  const std::span<T> last = out.last(16);
  uniform(last);
  normals(last, mean, deviation);
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
