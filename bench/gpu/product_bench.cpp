// Ops bound by arithmetic, in the shapes of Stable Diffusion's UNet with 32 pictures of 64 x 64 latents: TFLOP/s beside
// a large matrix product's, which is the ceiling. Peer: bench/peers/torch_gpu.py.

#include "bench/gpu/timing.h"
#include "engine/ops.h"

using namespace plumb;
using namespace plumb::bench;

namespace {

constexpr int64_t kCalls = 10;

std::string named(const char* kind, DType dtype, std::initializer_list<std::pair<const char*, int64_t>> sizes) {
  std::string name = std::string(kind) + "/" + name_of(dtype);
  for (const auto& [key, size] : sizes) name += std::string("/") + key + ":" + std::to_string(size);
  return name;
}

struct Product {
  int64_t m, n, k;
};

void linear_forward(benchmark::State& state, Product p, DType dtype) {
  const Tensor x = values({p.m, p.k}, dtype, 1), weight = values({p.n, p.k}, dtype, 2), bias = values({p.n}, dtype, 3);
  time_on_device(state, kCalls, [&](int64_t) { linear(x, weight, bias); });
  count_flops(state, 2.0 * double(p.m) * double(p.n) * double(p.k));
}

struct Convolution {
  int64_t pictures, in, side, out, kernel, stride;
  double flops() const {
    const double pixels = double(side / stride) * double(side / stride);
    return 2.0 * double(pictures * in * out * kernel * kernel) * pixels;
  }
};

enum class Direction { forward, to_x, to_weight };

void convolve(benchmark::State& state, Convolution c, Direction direction, DType dtype) {
  const int64_t padding = c.kernel / 2, out_side = c.side / c.stride;
  const Conv2dOptions options{.stride = {c.stride, c.stride}, .padding = {padding, padding}};
  const Tensor x = pictures({c.pictures, c.in, c.side, c.side}, dtype, 1);
  const Tensor grad = pictures({c.pictures, c.out, out_side, out_side}, dtype, 2);
  const Tensor weight = pictures({c.out, c.in, c.kernel, c.kernel}, dtype, 3), bias = values({c.out}, dtype, 4);
  time_on_device(state, kCalls, [&](int64_t) {
    if (direction == Direction::forward)
      conv2d(x, weight, bias, options);
    else if (direction == Direction::to_x)
      conv2d_backward_x(grad, weight, x.shape(), options);
    else
      conv2d_backward_weight(grad, x, weight.shape(), options);
  });
  count_flops(state, c.flops());
}

struct Attention {
  int64_t pictures, heads, queries, keys, width;
  double scores() const { return double(pictures * heads) * double(queries) * double(keys) * double(width); }
};

void attend(benchmark::State& state, Attention a, bool backward, DType dtype) {
  const Shape q_shape{a.pictures, a.heads, a.queries, a.width}, k_shape{a.pictures, a.heads, a.keys, a.width};
  const Tensor q = values(q_shape, dtype, 1), k = values(k_shape, dtype, 2), v = values(k_shape, dtype, 3),
               grad = values(q_shape, dtype, 4);
  const AttentionForward forward{q, k, v, attention(q, k, v), {}};
  time_on_device(state, kCalls, [&](int64_t) {
    if (backward)
      attention_backward(grad, forward);
    else
      attention(q, k, v);
  });
  count_flops(state, (backward ? 10.0 : 4.0) * a.scores());
}

const bool registered = [] {
  for (const DType dtype : {DType::bf16, DType::f32}) {
    for (const Product p : {Product{8192, 8192, 8192},
                            {131072, 320, 320},
                            {131072, 2560, 320},
                            {131072, 320, 1280},
                            {8192, 1280, 1280},
                            {8192, 10240, 1280}})
      benchmark::RegisterBenchmark(named("linear", dtype, {{"m", p.m}, {"n", p.n}, {"k", p.k}}).c_str(), linear_forward,
                                   p, dtype)
          ->UseManualTime();
    const std::pair<const char*, Direction> directions[] = {
        {"conv2d", Direction::forward}, {"conv2d_x", Direction::to_x}, {"conv2d_weight", Direction::to_weight}};
    for (const auto& [kind, direction] : directions)
      for (const Convolution c : {Convolution{32, 320, 64, 320, 3, 1},
                                  {32, 640, 32, 640, 3, 1},
                                  {32, 1280, 16, 1280, 3, 1},
                                  {32, 2560, 8, 1280, 3, 1},
                                  {32, 320, 64, 320, 3, 2},
                                  {32, 4, 64, 320, 3, 1},
                                  {32, 960, 64, 320, 1, 1}})
        benchmark::RegisterBenchmark(named(kind, dtype,
                                           {{"n", c.pictures},
                                            {"in", c.in},
                                            {"side", c.side},
                                            {"out", c.out},
                                            {"kernel", c.kernel},
                                            {"stride", c.stride}})
                                         .c_str(),
                                     convolve, c, direction, dtype)
            ->UseManualTime();
    for (const bool backward : {false, true})
      for (const Attention a : {Attention{32, 8, 4096, 4096, 40},
                                {32, 8, 1024, 1024, 80},
                                {32, 8, 256, 256, 160},
                                {32, 8, 4096, 77, 40},
                                {8, 10, 4096, 4096, 64}})
        benchmark::RegisterBenchmark(
            named(backward ? "attention_backward" : "attention", dtype,
                  {{"n", a.pictures}, {"heads", a.heads}, {"queries", a.queries}, {"keys", a.keys}, {"width", a.width}})
                .c_str(),
            attend, a, backward, dtype)
            ->UseManualTime();
  }
  return true;
}();

}  // namespace
