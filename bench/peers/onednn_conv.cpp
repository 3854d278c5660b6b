// Our 3x3 convolutions beside oneDNN's, direct and Winograd, one thread: a table of effective GFLOP/s (operations of
// the direct convolution over the time). Ours work on channels-last tensors, results allocated, kernels transformed or
// packed in every call; oneDNN's on the layouts that it likes best, made beforehand. All take turns within a round.
//
//     OMP_NUM_THREADS=1 taskset -c 1 build/bench/onednn_conv [rounds [seconds a measurement]]

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

#include "engine/ops/conv/algorithm.h"
#include "engine/ops/conv/conv2d.h"
#include "engine/ops/layout/view.h"
#include "engine/ops/random/random.h"
#include "engine/parallel.h"

namespace {

using namespace plumb;

struct Shape3x3 {
  int64_t batch, channels, side;
  double flops() const { return 2.0 * 9 * double(batch * side * side) * double(channels * channels); }
};

constexpr Shape3x3 kShapes[] = {{16, 64, 32}, {16, 128, 16}, {16, 256, 8}, {2, 320, 64}, {2, 640, 32}, {2, 1280, 16}};
constexpr ConvDirection kDirections[] = {ConvDirection::forward, ConvDirection::backward_x,
                                         ConvDirection::backward_weight};
constexpr const char* kNames[] = {"forward", "to x", "to weight"};

using Call = std::function<void()>;  // empty: not available

/// oneDNN's convolution on memory of its own.
class OneDnn {
 public:
  OneDnn(const Shape3x3& s, ConvDirection direction, dnnl::algorithm algorithm) {
    using dnnl::memory;
    const auto any = [](const memory::dims& dims) {
      return memory::desc(dims, memory::data_type::f32, memory::format_tag::any);
    };
    const memory::desc x = any({s.batch, s.channels, s.side, s.side}), weight = any({s.channels, s.channels, 3, 3});
    const memory::dims one{1, 1};
    const dnnl::convolution_forward::primitive_desc forward(
        {dnnl::prop_kind::forward_training, algorithm, x, weight, x, one, one, one}, engine_);
    if (direction == ConvDirection::forward) {
      primitive_ = dnnl::convolution_forward(forward);
      arguments_ = {{DNNL_ARG_SRC, random(forward.src_desc())},
                    {DNNL_ARG_WEIGHTS, random(forward.weights_desc())},
                    {DNNL_ARG_DST, random(forward.dst_desc())}};
    } else if (direction == ConvDirection::backward_x) {
      const dnnl::convolution_backward_data::primitive_desc backward({algorithm, x, weight, x, one, one, one}, engine_,
                                                                     forward);
      primitive_ = dnnl::convolution_backward_data(backward);
      arguments_ = {{DNNL_ARG_DIFF_DST, random(backward.diff_dst_desc())},
                    {DNNL_ARG_WEIGHTS, random(backward.weights_desc())},
                    {DNNL_ARG_DIFF_SRC, random(backward.diff_src_desc())}};
    } else {
      const dnnl::convolution_backward_weights::primitive_desc backward({algorithm, x, weight, x, one, one, one},
                                                                        engine_, forward);
      primitive_ = dnnl::convolution_backward_weights(backward);
      arguments_ = {{DNNL_ARG_DIFF_DST, random(backward.diff_dst_desc())},
                    {DNNL_ARG_SRC, random(backward.src_desc())},
                    {DNNL_ARG_DIFF_WEIGHTS, random(backward.diff_weights_desc())}};
    }
  }

  void operator()() {
    primitive_.execute(stream_, arguments_);
    stream_.wait();
  }

 private:
  dnnl::memory random(const dnnl::memory::desc& desc) {
    dnnl::memory memory(desc, engine_);
    const int64_t count = int64_t(desc.get_size() / sizeof(float));
    const Tensor values = randn(RandomKey{.seed = 1}, {count});
    std::copy_n(values.data<float>(), count, static_cast<float*>(memory.get_data_handle()));
    return memory;
  }

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  dnnl::primitive primitive_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

Call onednn(const Shape3x3& s, ConvDirection direction, dnnl::algorithm algorithm) {
  try {
    return [run = std::make_shared<OneDnn>(s, direction, algorithm)] { (*run)(); };
  } catch (const dnnl::error&) {  // no such kernel for this processor
    return {};
  }
}

Tensor channels_last(const Tensor& x) { return permute(permute(x, {0, 2, 3, 1}).contiguous(), {0, 3, 1, 2}); }

Call ours(const Shape3x3& s, ConvDirection direction, WinogradChoice choice) {
  const RandomKey key{.seed = 1};
  const Tensor x = channels_last(randn(key.fork("x"), {s.batch, s.channels, s.side, s.side}));
  const Tensor grad = channels_last(randn(key.fork("grad"), x.shape()));
  const Tensor weight = channels_last(randn(key.fork("weight"), {s.channels, s.channels, 3, 3}));
  return [=] {
    const WinogradScope scope(choice);
    const Conv2dOptions options{.padding = {1, 1}};
    if (direction == ConvDirection::forward) conv2d(x, weight, {}, options);
    if (direction == ConvDirection::backward_x) conv2d_backward_x(grad, weight, x.shape(), options);
    if (direction == ConvDirection::backward_weight) conv2d_backward_weight(grad, x, weight.shape(), options);
  };
}

/// Seconds a call, the median of calls for about `seconds`.
double measure(const Call& call, double seconds) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> samples;
  const auto start = Clock::now();
  while (samples.size() < 3 || std::chrono::duration<double>(Clock::now() - start).count() < seconds) {
    const auto begin = Clock::now();
    call();
    samples.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
  }
  std::nth_element(samples.begin(), samples.begin() + int64_t(samples.size() / 2), samples.end());
  return samples[samples.size() / 2];
}

/// Median and, in brackets, least and greatest of the rounds.
void print_cell(std::vector<double> rounds) {
  if (rounds.empty()) return fmt::print(" - |");
  std::sort(rounds.begin(), rounds.end());
  fmt::print(" {:.0f} ({:.0f}-{:.0f}) |", rounds[rounds.size() / 2], rounds.front(), rounds.back());
}

void compare(const Shape3x3& s, int direction, int rounds, double seconds) {
  const ConvDirection d = kDirections[direction];
  const Call calls[] = {onednn(s, d, dnnl::algorithm::convolution_direct), ours(s, d, WinogradChoice::never),
                        onednn(s, d, dnnl::algorithm::convolution_winograd), ours(s, d, WinogradChoice::fitting)};
  std::vector<double> speed[4];
  for (const Call& call : calls)
    if (call) call();
  for (int round = 0; round < rounds; ++round)
    for (int i = 0; i < 4; ++i)
      if (calls[i]) speed[i].push_back(s.flops() / measure(calls[i], seconds) * 1e-9);
  fmt::print("| N{} {}->{} @{} | {} |", s.batch, s.channels, s.channels, s.side, kNames[direction]);
  for (const auto& cell : speed) print_cell(cell);
  fmt::print("\n");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (const char* threads = std::getenv("OMP_NUM_THREADS"); !threads || std::string(threads) != "1") {
    fmt::print(stderr, "onednn_conv: set OMP_NUM_THREADS=1, or oneDNN takes every processor\n");
    return 2;
  }
  set_num_threads(1);
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 5;
  const double seconds = argc > 2 ? std::atof(argv[2]) : 0.1;
  fmt::print("oneDNN {}.{}.{}, {} rounds; effective GFLOP/s, median (least-greatest)\n\n", dnnl_version()->major,
             dnnl_version()->minor, dnnl_version()->patch, rounds);
  fmt::print("| shape | direction | oneDNN direct | ours direct | oneDNN Winograd | ours Winograd |\n");
  fmt::print("|---|---|---|---|---|---|\n");
  for (const Shape3x3& s : kShapes)
    for (int direction = 0; direction < 3; ++direction) compare(s, direction, rounds, seconds);
}
