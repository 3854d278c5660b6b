// Stands in for engine/cuda/dnn/dnn.cpp, and with it for cuDNN: plain loops in double over the very arguments.

#include "engine/cuda/dnn/dnn.h"

#include <cmath>
#include <vector>

#include "engine/cuda/check.cuh"
#include "engine/cuda/element.cuh"
#include "tests/support/cuda_emulator/dnn.h"

namespace plumb {
namespace {

int calls = 0;
emulator::Refusal refusal = emulator::Refusal::none;

/// Numbers of a dtype, read and written as doubles.
struct Numbers {
  void* data;
  DType dtype;
  double at(int64_t i) const { return load_element<double>(data, dtype, i); }
  void put(int64_t i, double value) const { store_element(data, dtype, i, value); }
};

struct Convolution {
  DnnConvolution problem;
  DnnConvolutionData data;

  /// visit(x, weight, y) for the places of every product there is.
  template <class F>
  void each_product(F&& visit) const {
    const ConvGeometry& g = problem.geometry;
    const Conv2dOptions& o = g.options;
    for (int64_t y = 0; y < g.batch * g.output.height * g.output.width * g.out_channels; ++y)
      for (int64_t tap = 0; tap < g.kernel.height * g.kernel.width; ++tap) {
        const int64_t channel = y % g.out_channels, pixel = y / g.out_channels, column = pixel % g.output.width,
                      row = pixel / g.output.width % g.output.height,
                      picture = pixel / g.output.width / g.output.height;
        const int64_t h = row * o.stride.height - o.padding.height + tap / g.kernel.width * o.dilation.height;
        const int64_t w = column * o.stride.width - o.padding.width + tap % g.kernel.width * o.dilation.width;
        if (h < 0 || h >= g.input.height || w < 0 || w >= g.input.width) continue;
        const int64_t x = ((picture * g.input.height + h) * g.input.width + w) * g.in_channels +
                          channel / g.group_out() * g.group_in();
        const int64_t weight = (channel * g.kernel.height * g.kernel.width + tap) * g.group_in();
        for (int64_t c = 0; c < g.group_in(); ++c) visit(x + c, weight + c, y);
      }
  }

  void run() const {
    const ConvGeometry& g = problem.geometry;
    const int64_t pixels = g.batch * g.output.height * g.output.width;
    const Numbers x{data.x, problem.dtype}, weight{data.weight, problem.dtype}, y{data.y, problem.dtype};
    std::vector<double> sums;
    switch (problem.pass) {
      case ConvolutionPass::forward:
        sums.resize(size_t(pixels * g.out_channels));
        for (size_t i = 0; problem.has_bias && i < sums.size(); ++i)
          sums[i] = load_element<double>(data.bias, problem.dtype, int64_t(i) % g.out_channels);
        each_product([&](int64_t a, int64_t b, int64_t c) { sums[size_t(c)] += x.at(a) * weight.at(b); });
        return put(sums, y);
      case ConvolutionPass::backward_x:
        sums.resize(size_t(g.batch * g.input.height * g.input.width * g.in_channels));
        each_product([&](int64_t a, int64_t b, int64_t c) { sums[size_t(a)] += y.at(c) * weight.at(b); });
        return put(sums, x);
      case ConvolutionPass::backward_weight:
        sums.resize(size_t(g.out_channels * g.kernel.height * g.kernel.width * g.group_in()));
        each_product([&](int64_t a, int64_t b, int64_t c) { sums[size_t(b)] += y.at(c) * x.at(a); });
        return put(sums, weight);
    }
  }

  static void put(const std::vector<double>& sums, const Numbers& to) {
    for (size_t i = 0; i < sums.size(); ++i) to.put(int64_t(i), sums[i]);
  }
};

struct Attention {
  DnnAttention a;
  DnnAttentionData data;

  Numbers numbers(const void* from) const { return {const_cast<void*>(from), a.dtype}; }
  static int64_t place(const HeadStrides& s, int64_t head, int64_t heads, int64_t row) {
    return head / heads * s.batch + head % heads * s.head + row * s.row;
  }
  double dot(const void* x, int64_t x_at, const void* y, int64_t y_at, int64_t width) const {
    double sum = 0;
    for (int64_t d = 0; d < width; ++d) sum += numbers(x).at(x_at + d) * numbers(y).at(y_at + d);
    return sum;
  }

  void run() const {
    for (int64_t head = 0; head < a.batch * a.heads; ++head) a.backward ? backward(head) : forward(head);
  }

  std::vector<double> scores(int64_t head, int64_t i) const {
    std::vector<double> row;
    for (int64_t j = 0; j < a.keys; ++j)
      row.push_back(a.scale * dot(data.q, place(a.q, head, a.heads, i), data.k, place(a.k, head, a.heads, j), a.depth));
    return row;
  }

  void forward(int64_t head) const {
    for (int64_t i = 0; i < a.queries; ++i) {
      const std::vector<double> row = scores(head, i);
      double top = row[0], total = 0;
      for (double score : row) top = std::max(top, score);
      for (double score : row) total += std::exp(score - top);
      const double lse = top + std::log(total);
      data.lse[head * a.queries + i] = float(lse);
      for (int64_t d = 0; d < a.value_depth; ++d) {
        double sum = 0;
        for (int64_t j = 0; j < a.keys; ++j)
          sum += std::exp(row[size_t(j)] - lse) * numbers(data.v).at(place(a.v, head, a.heads, j) + d);
        numbers(data.out).put((head * a.queries + i) * a.value_depth + d, sum);
      }
    }
  }

  void backward(int64_t head) const {
    std::vector<double> dq(size_t(a.queries * a.depth)), dk(size_t(a.keys * a.depth)),
        dv(size_t(a.keys * a.value_depth));
    for (int64_t i = 0; i < a.queries; ++i) {
      const std::vector<double> row = scores(head, i);
      const int64_t out_at = (head * a.queries + i) * a.value_depth, grad_at = place(a.grad, head, a.heads, i);
      const double delta = dot(data.grad, grad_at, data.out, out_at, a.value_depth);
      for (int64_t j = 0; j < a.keys; ++j) {
        const double p = std::exp(row[size_t(j)] - double(data.lse[head * a.queries + i]));
        const int64_t k_at = place(a.k, head, a.heads, j), q_at = place(a.q, head, a.heads, i);
        const double ds =
            a.scale * p * (dot(data.grad, grad_at, data.v, place(a.v, head, a.heads, j), a.value_depth) - delta);
        for (int64_t d = 0; d < a.depth; ++d) {
          dq[size_t(i * a.depth + d)] += ds * numbers(data.k).at(k_at + d);
          dk[size_t(j * a.depth + d)] += ds * numbers(data.q).at(q_at + d);
        }
        for (int64_t d = 0; d < a.value_depth; ++d)
          dv[size_t(j * a.value_depth + d)] += p * numbers(data.grad).at(grad_at + d);
      }
    }
    put(dq, data.grad_q, head);
    put(dk, data.grad_k, head);
    put(dv, data.grad_v, head);
  }

  void put(const std::vector<double>& sums, void* to, int64_t head) const {
    for (size_t i = 0; i < sums.size(); ++i) numbers(to).put(head * int64_t(sums.size()) + int64_t(i), sums[i]);
  }
};

}  // namespace

bool dnn_convolution(const char* op, const Cuda& cuda, const DnnConvolution& problem, const DnnConvolutionData& data) {
  if (refusal == emulator::Refusal::all || (refusal == emulator::Refusal::fused_bias && problem.has_bias)) return false;
  ++calls;
  check_cuda(op, emulator::submit(static_cast<cudaStream_t>(cuda.stream),
                                  [work = Convolution{problem, data}] { work.run(); }));
  return true;
}

bool dnn_attention(const char* op, const Cuda& cuda, const DnnAttention& problem, const DnnAttentionData& data) {
  if (refusal == emulator::Refusal::all) return false;
  ++calls;
  check_cuda(
      op, emulator::submit(static_cast<cudaStream_t>(cuda.stream), [work = Attention{problem, data}] { work.run(); }));
  return true;
}

void emulator::set_dnn_refusal(Refusal next) { refusal = next; }
int emulator::dnn_calls() { return calls; }

}  // namespace plumb
