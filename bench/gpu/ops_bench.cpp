// Ops bound by memory, on tensors of a Stable Diffusion UNet (32 pictures, channels-last) that together exceed the
// cache: GB/s of the least possible traffic beside copy's, which is the ceiling. Peer: bench/peers/torch_gpu.py.

#include "bench/gpu/timing.h"
#include "engine/ops.h"
#include "engine/ops/layout/view.h"
#include "engine/ops/optim/adam.h"
#include "engine/ops/random/random.h"

using namespace plumb;
using namespace plumb::bench;

namespace {

constexpr int64_t kPictures = 32, kGroups = 32, kCalls = 20, kSets = 4;

struct Picture {
  int64_t channels, side;
  Shape shape() const { return {kPictures, channels, side, side}; }
};

using Sets = std::vector<Tensor>;

Sets sets_of(const Shape& shape, DType dtype, uint64_t seed) {
  Sets sets;
  for (int64_t i = 0; i < kSets; ++i) sets.push_back(pictures(shape, dtype, seed + uint64_t(i)));
  return sets;
}

const Tensor& at(const Sets& sets, int64_t call) { return sets[size_t(call % kSets)]; }

/// `arrays` tensors like x are the least traffic of a call.
void time_op(benchmark::State& state, const Tensor& like, double arrays, const std::function<void(int64_t)>& call) {
  time_on_device(state, kCalls, call);
  count_bytes(state, arrays * double(like.numel() * size_of(like.dtype())));
}

void copy(benchmark::State& state, Picture picture, DType dtype) {
  const Sets x = sets_of(picture.shape(), dtype, 1);
  time_op(state, x[0], 2, [&](int64_t i) { empty_like(at(x, i)).copy_(at(x, i)); });
}

void add(benchmark::State& state, Picture picture, DType dtype) {
  const Sets x = sets_of(picture.shape(), dtype, 1), y = sets_of(picture.shape(), dtype, 9);
  time_op(state, x[0], 3, [&](int64_t i) { at(x, i) + at(y, i); });
}

void silu_forward(benchmark::State& state, Picture picture, DType dtype) {
  const Sets x = sets_of(picture.shape(), dtype, 1);
  time_op(state, x[0], 2, [&](int64_t i) { silu(at(x, i)); });
}

void silu_back(benchmark::State& state, Picture picture, DType dtype) {
  const Sets x = sets_of(picture.shape(), dtype, 1), grad = sets_of(picture.shape(), dtype, 9);
  time_op(state, x[0], 3, [&](int64_t i) { silu_backward(at(grad, i), at(x, i)); });
}

void group_norm_silu(benchmark::State& state, Picture picture, DType dtype) {
  const Sets x = sets_of(picture.shape(), dtype, 1);
  const Tensor weight = values({picture.channels}, dtype, 5), bias = values({picture.channels}, dtype, 6);
  time_op(state, x[0], 2, [&](int64_t i) { group_norm(at(x, i), weight, bias, {.groups = kGroups, .silu = true}); });
}

void group_norm_silu_backward(benchmark::State& state, Picture picture, DType dtype) {
  const Sets x = sets_of(picture.shape(), dtype, 1), grad = sets_of(picture.shape(), dtype, 9);
  const Tensor weight = values({picture.channels}, dtype, 5), bias = values({picture.channels}, dtype, 6);
  const GroupNormOptions options{.groups = kGroups, .silu = true};
  Sets statistics;
  for (const Tensor& each : x) statistics.push_back(group_norm(each, weight, bias, options).statistics);
  time_op(state, x[0], 3, [&](int64_t i) {
    group_norm_backward(at(grad, i), {at(x, i), at(statistics, i), weight, bias}, options,
                        {.x = true, .weight = true, .bias = true});
  });
}

/// [pictures * pixels, channels]: what a transformer block sees.
Tensor tokens(const Tensor& picture) {
  const Shape& s = picture.shape();
  return reshape(permute(picture, {0, 2, 3, 1}), {s[0] * s[2] * s[3], s[1]});
}

void layer_norm_forward(benchmark::State& state, Picture picture, DType dtype) {
  const Sets x = sets_of(picture.shape(), dtype, 1);
  const Tensor weight = values({picture.channels}, dtype, 5), bias = values({picture.channels}, dtype, 6);
  time_op(state, x[0], 2, [&](int64_t i) { layer_norm(tokens(at(x, i)), {picture.channels}, weight, bias); });
}

void layer_norm_back(benchmark::State& state, Picture picture, DType dtype) {
  const Sets x = sets_of(picture.shape(), dtype, 1), grad = sets_of(picture.shape(), dtype, 9);
  const Tensor weight = values({picture.channels}, dtype, 5), bias = values({picture.channels}, dtype, 6);
  std::vector<LayerNormResult> forward;
  for (const Tensor& each : x) forward.push_back(layer_norm(tokens(each), {picture.channels}, weight, bias));
  time_op(state, x[0], 3, [&](int64_t i) {
    layer_norm_backward(tokens(at(grad, i)), tokens(at(x, i)), forward[size_t(i % kSets)], weight, {picture.channels},
                        {.x = true, .weight = true, .bias = true});
  });
}

void softmax_forward(benchmark::State& state, Picture picture, DType dtype) {
  const Sets x = sets_of(picture.shape(), dtype, 1);
  time_op(state, x[0], 2, [&](int64_t i) { softmax(tokens(at(x, i)), 1); });
}

/// Half as many values come out as go in: 1.5 arrays.
void geglu_forward(benchmark::State& state, Picture picture, DType dtype) {
  const Sets x = sets_of(picture.shape(), dtype, 1);
  time_op(state, x[0], 1.5, [&](int64_t i) { geglu(tokens(at(x, i))); });
}

void sum_all(benchmark::State& state, Picture picture, DType dtype) {
  const Sets x = sets_of(picture.shape(), dtype, 1);
  time_op(state, x[0], 1, [&](int64_t i) { sum(at(x, i)); });
}

/// The bias's gradient: sums over all but the channels.
void sum_channels(benchmark::State& state, Picture picture, DType dtype) {
  const Sets x = sets_of(picture.shape(), dtype, 1);
  time_op(state, x[0], 1, [&](int64_t i) { sum(tokens(at(x, i)), {0}); });
}

void mse_per_sample(benchmark::State& state, Picture picture, DType dtype) {
  const Sets x = sets_of(picture.shape(), dtype, 1), y = sets_of(picture.shape(), dtype, 9);
  time_op(state, x[0], 2, [&](int64_t i) { sample_error(at(x, i), at(y, i)); });
}

void normal(benchmark::State& state, Picture picture, DType dtype) {
  const Shape shape = picture.shape();
  time_op(state, empty(shape, dtype), 1,
          [&](int64_t i) { randn(RandomKey{.seed = uint64_t(i)}, shape, dtype, kCuda); });
}

/// As many weights as the picture has values. bf16: f32 masters and state, f32 gradient, the value written too (30
/// bytes a weight: reads master, gradient, two states; writes master, value, two states); f32: 28.
void adamw(benchmark::State& state, Picture picture, DType dtype) {
  const int64_t count = numel(picture.shape());
  const bool narrow = dtype != DType::f32;
  UpdateTensors tensors{.weight = values({count}, DType::f32, 1),
                        .value = narrow ? values({count}, dtype, 2) : Tensor(),
                        .grad = values({count}, DType::f32, 3),
                        .state1 = zeros({count}, DType::f32, kCuda),
                        .state2 = zeros({count}, DType::f32, kCuda)};
  const StepControl control{scalar(1e-4, DType::f64, kCuda), scalar(1, DType::f64, kCuda), {}};
  time_on_device(state, kCalls,
                 [&](int64_t) { adam_step(tensors, control, {.weight_decay = 1e-2, .decoupled = true}); });
  count_bytes(state, double(count) * (narrow ? 30 : 28));
}

using Op = void (*)(benchmark::State&, Picture, DType);

/// Names as "group_norm_silu/bf16/320x64": the peer reads them.
const bool registered = [] {
  const std::pair<const char*, Op> ops[] = {{"copy", copy},
                                            {"add", add},
                                            {"silu", silu_forward},
                                            {"silu_backward", silu_back},
                                            {"group_norm_silu", group_norm_silu},
                                            {"group_norm_silu_backward", group_norm_silu_backward},
                                            {"layer_norm", layer_norm_forward},
                                            {"layer_norm_backward", layer_norm_back},
                                            {"softmax", softmax_forward},
                                            {"geglu", geglu_forward},
                                            {"sum", sum_all},
                                            {"sum_channels", sum_channels},
                                            {"sample_error", mse_per_sample},
                                            {"randn", normal},
                                            {"adamw", adamw}};
  for (const auto& [name, op] : ops)
    for (const Picture picture : {Picture{320, 64}, Picture{1280, 16}})
      for (const DType dtype : {DType::bf16, DType::f32}) {
        const std::string full = std::string(name) + "/" + name_of(dtype) + "/" + std::to_string(picture.channels) +
                                 "x" + std::to_string(picture.side);
        benchmark::RegisterBenchmark(full.c_str(), op, picture, dtype)->UseManualTime();
      }
  return true;
}();

}  // namespace
