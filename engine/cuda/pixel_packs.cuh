#pragma once

// How kernels walk [N, P, C] with the channels innermost when all they need is a pack of channels: a thread keeps one
// pack and walks pixels, several loads of 16 bytes in flight; a block takes a tile of a pixel's packs and a chunk of
// one picture's pixels. Matrices are the same with N = 1 and rows for pixels. How it is cut depends on the shape alone.

#include "engine/cuda/flat.cuh"
#include "engine/cuda/half.cuh"
#include "engine/cuda/sums.cuh"

namespace plumb {

inline constexpr int kInFlight = 4;  // loads of a thread, of one array or of two

/// How a picture is cut. Packs and pixels count from 0 in every picture.
struct Split {
  int64_t pixels, channels;
  int packs;               // of a pixel
  int tile, lanes, tiles;  // packs of a block, pixels it takes at once, blocks beside each other
  int chunk, chunks;       // pixels of a block, blocks along the pixels
};

/// pack: channels in one.
inline Split split_of(int64_t batch, int64_t pixels, int64_t channels, int pack) {
  Split s{};
  s.pixels = pixels;
  s.channels = channels;
  s.packs = int(s.channels / pack);
  s.tile = s.packs < 64 ? s.packs : 64;
  while (s.packs % s.tile != 0) --s.tile;
  s.lanes = kThreads / s.tile;
  s.tiles = s.packs / s.tile;
  constexpr int64_t kBlocks = 132 * 6;  // whole rounds of two and of three blocks a multiprocessor
  const int64_t fair = kBlocks / (batch * s.tiles), wanted = fair > 1 ? fair : 1,
                most = ceil_div(s.pixels, s.lanes * kInFlight);
  const int64_t chunks = wanted < most ? wanted : most;
  s.chunk = int(ceil_div(ceil_div(s.pixels, chunks), s.lanes) * s.lanes);
  s.chunks = int(ceil_div(s.pixels, s.chunk));
  return s;
}

inline Grid grid_of(const Split& s, int64_t batch) { return {int64_t(s.chunks) * s.tiles, kThreads, batch}; }

/// What a thread of a grid_of(split) works on: pack `pack` of pixels begin, begin + lanes, … before end.
struct Part {
  int n, chunk, pack, slot;  // slot: of the block's packs
  int lane, begin, end;
  bool busy;
  __device__ Part(const Split& s, bool from_the_end) {
    const int x = from_the_end ? int(gridDim.x - 1 - blockIdx.x) : int(blockIdx.x);
    n = from_the_end ? int(gridDim.y - 1 - blockIdx.y) : int(blockIdx.y);
    chunk = x / s.tiles;
    slot = int(threadIdx.x) % s.tile;
    lane = int(threadIdx.x) / s.tile;
    pack = x % s.tiles * s.tile + slot;
    busy = lane < s.lanes;
    const int64_t stop = int64_t(chunk + 1) * s.chunk;
    begin = chunk * s.chunk + lane;
    end = busy ? int(stop < s.pixels ? stop : s.pixels) : 0;
  }
  /// Of pixel `p`'s pack in an array of packs.
  __device__ int64_t at(const Split& s, int p) const { return (n * s.pixels + p) * s.packs + pack; }
};

/// Calls use(values, pixel's place, pixel) for the packs of every pixel of a part, from N arrays, with kInFlight loads
/// under way.
template <class T, int N, class F>
__device__ inline void for_each_pixel(const Split& s, const Part& part, const Pack<T>* const (&from)[N], F&& use) {
  constexpr int kPixels = kInFlight / N;
  for (int p = part.begin; p < part.end; p += kPixels * s.lanes) {
    Pack<T> loaded[kPixels][N];
    PLUMB_UNROLL
    for (int u = 0; u < kPixels; ++u) {
      PLUMB_UNROLL
      for (int k = 0; k < N; ++k)
        if (p + u * s.lanes < part.end) loaded[u][k] = from[k][part.at(s, p + u * s.lanes)];
    }
    PLUMB_UNROLL
    for (int u = 0; u < kPixels; ++u)
      if (p + u * s.lanes < part.end) use(loaded[u], part.at(s, p + u * s.lanes), p + u * s.lanes);
  }
}

/// Adds what the lanes of a block have for a channel, and gives store(channel of the block's tile, sum).
template <int kSize, class State, class F>
__device__ inline void join_lanes(const Split& s, const Part& part, const State (&sums)[kSize], F&& store) {
  __shared__ State joined[kThreads * kSize];
  if (part.busy) {
    PLUMB_UNROLL
    for (int k = 0; k < kSize; ++k) joined[(part.lane * s.tile + part.slot) * kSize + k] = sums[k];
  }
  __syncthreads();
  const int width = s.tile * kSize;
  for (int channel = int(threadIdx.x); channel < width; channel += kThreads) {
    State sum = joined[channel];
    for (int lane = 1; lane < s.lanes; ++lane) sum += joined[lane * width + channel];
    store(channel, sum);
  }
}

/// Pixels of chunk `chunk`.
__device__ inline float count_of(const Split& s, int chunk) {
  const int64_t rest = s.pixels - int64_t(chunk) * s.chunk;
  return float(rest < s.chunk ? rest : s.chunk);
}

/// Where the sums of a part's tile begin in [n, chunk, channel].
__device__ inline int64_t sums_at(const Split& s, const Part& part, int pack) {
  return (int64_t(part.n) * s.chunks + part.chunk) * s.channels + int64_t(part.pack - part.slot) * pack;
}

}  // namespace plumb
