#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace plumb {

/// The sequential generator of torch's CPU backend (mt19937, Matsumoto and Nishimura 1998), for initialisation and for
/// noise shared with diffusers and ComfyUI by seed. Integers and uniforms on [0, 1) equal torch's bit for bit; normals
/// to a few units in the last place (torch itself differs from machine to machine there: it has an AVX2 path with
/// approximate functions). Ours are the same bits on every machine. Training draws use RandomKey instead.
///
/// Two calls are not one call of twice the size: normals are drawn in blocks of 16 from 16 elements up, see normal().
class Generator {
 public:
  /// As torch.manual_seed: only the low 32 bits of the seed count.
  explicit Generator(uint64_t seed);

  uint32_t next_u32();
  /// First draw in the high half.
  uint64_t next_u64();

  /// torch.rand / uniform_: u * (high - low) + low rounded once, with 24-bit u for float and 53-bit u for double.
  /// Throws ValueError unless low <= high and both are finite.
  void uniform(std::span<float> out, double low = 0, double high = 1);
  void uniform(std::span<double> out, double low = 0, double high = 1);

  /// torch.randn / normal_ on a contiguous tensor of out.size() elements. From 16 elements up: uniforms for all, then
  /// in blocks of 16 elements j and j + 8 become a Box-Muller pair; a tail shorter than 16 redraws the last 16. Below
  /// 16: one double at a time, the second of each pair kept for the next call. Throws ValueError unless deviation >= 0.
  void normal(std::span<float> out, double mean = 0, double deviation = 1);
  void normal(std::span<double> out, double mean = 0, double deviation = 1);

  /// torch.randint: word % (high - low) + low, with a 64-bit word from a range of 2^28 up (as torch since 2.7, where
  /// the limit was 2^32 before). Throws ValueError unless low < high.
  void randint(std::span<int64_t> out, int64_t low, int64_t high);
  /// torch.randperm. Throws ValueError unless 0 <= n < 2^32 / 20 (torch draws otherwise above).
  std::vector<int64_t> randperm(int64_t n);

  /// Everything needed to go on from here, as kStateSize integers for a checkpoint.
  std::vector<int64_t> state() const;
  /// The generator whose state() this was. Throws ValueError when it cannot be one.
  static Generator restore(std::span<const int64_t> state);
  static constexpr int64_t kStateSize = 624 + 3;  // words, position, whether a normal is kept, its bits

 private:
  Generator() = default;
  void refill();
  void next_words(std::span<uint32_t> out);
  double next_normal();
  template <class T>
  void normal_blocks(std::span<T> out, T mean, T deviation);

  std::array<uint32_t, 624> words_{};
  uint32_t position_ = 624;  // next word to hand out; 624: refill first
  std::optional<double> kept_normal_;
};

}  // namespace plumb
