// Forward, cuDNN has attention as one op. Backward it wants the formula spelled out, and matches it against its own:
//   sums = rowsum(grad out),  p = exp(scale q k^T - lse),  dv = p^T grad,
//   ds = scale p (grad v^T - sums),  dk = ds^T q,  dq = ds k
// with k and v as the transposed matrices they are used as, and the two factors 1 that stand where dropout would be.
// Whether dq is added up in an f32 array of ours (fast, in no fixed order) or in the graph (cuDNN then keeps ds in its
// workspace) is how one asks for fixed sums.

#include "engine/format.h"

#include "engine/cuda/dnn/plan.h"

#include "engine/cuda/dnn/problems.h"

namespace plumb::dnn {
namespace {

class Attention {
 public:
  Attention(Graph& graph, const DnnAttention& problem) : graph_(graph), a_(problem) {}

  void forward() {
    const Graph::Node q = array(Role::q, a_.queries, a_.depth, a_.q), k = array(Role::k, a_.keys, a_.depth, a_.k),
                      v = array(Role::v, a_.keys, a_.value_depth, a_.v),
                      out = dense(Role::out, a_.queries, a_.value_depth);
    graph_.op(CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR)
        .set(CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC, *q)
        .set(CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC, *k)
        .set(CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC, *v)
        .set(CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC, *out)
        .set(CUDNN_ATTR_OPERATION_SDPA_FWD_STATSDESC, *stats())
        .set(CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC, *graph_.number(Role::scale));
  }

  void backward(bool deterministic) {
    const Graph::Node q = array(Role::q, a_.queries, a_.depth, a_.q),
                      k_turned = turned(Role::k, a_.keys, a_.depth, a_.k),
                      v_turned = turned(Role::v, a_.keys, a_.value_depth, a_.v),
                      grad = array(Role::grad, a_.queries, a_.value_depth, a_.grad),
                      out = dense(Role::out, a_.queries, a_.value_depth), scale = graph_.number(Role::scale),
                      one = graph_.number(Role::one);
    const Graph::Node weighted = f32(a_.queries, a_.value_depth), sums = f32(a_.queries, 1),
                      scaled_sums = f32(a_.queries, 1);
    graph_.pointwise(CUDNN_POINTWISE_MUL, grad, out, weighted);
    graph_.sum(weighted, sums);
    graph_.pointwise(CUDNN_POINTWISE_MUL, sums, one, scaled_sums);

    const Graph::Node scores = matrix(), scaled = matrix(), shifted = matrix(), p = matrix();
    graph_.matmul(q, k_turned, scores);
    graph_.pointwise(CUDNN_POINTWISE_MUL, scores, scale, scaled);
    graph_.pointwise(CUDNN_POINTWISE_SUB, scaled, stats(), shifted);
    graph_.pointwise(CUDNN_POINTWISE_EXP, shifted, nullptr, p);
    const Graph::Node p_turned = turned_matrix();
    graph_.reshape(p, p_turned);
    graph_.matmul(p_turned, grad, dense(Role::grad_v, a_.keys, a_.value_depth));

    const Graph::Node dp = matrix(), kept = matrix(), centred = matrix(), weighed = matrix(), ds = matrix(),
                      ds_turned = turned_matrix();
    graph_.matmul(grad, v_turned, dp);
    graph_.pointwise(CUDNN_POINTWISE_MUL, dp, one, kept);
    graph_.pointwise(CUDNN_POINTWISE_SUB, kept, scaled_sums, centred);
    graph_.pointwise(CUDNN_POINTWISE_MUL, centred, p, weighed);
    graph_.pointwise(CUDNN_POINTWISE_MUL, weighed, scale, ds);
    graph_.reshape(ds, ds_turned);
    graph_.matmul(ds_turned, q, dense(Role::grad_k, a_.keys, a_.depth));

    const Graph::Node k = graph_.inner(spec(a_.keys, a_.depth, a_.k)),
                      grad_q = dense(Role::grad_q, a_.queries, a_.depth);
    graph_.reshape(k_turned, k);
    if (deterministic) return graph_.matmul(ds, k, grad_q);
    const Four sizes{a_.batch, a_.heads, a_.queries, a_.depth};
    const Graph::Node total = graph_.scratch_array(Role::sums, {CUDNN_DATA_FLOAT, sizes, dense_strides(sizes)});
    graph_.matmul(ds, k, total);
    graph_.pointwise(CUDNN_POINTWISE_IDENTITY, total, nullptr, grad_q);
  }

 private:
  ArraySpec spec(int64_t rows, int64_t width, const HeadStrides& strides) const {
    return {data_type(a_.dtype), {a_.batch, a_.heads, rows, width}, {strides.batch, strides.head, strides.row, 1}};
  }
  Graph::Node array(Role role, int64_t rows, int64_t width, const HeadStrides& strides) {
    return graph_.array(role, spec(rows, width, strides));
  }
  Graph::Node turned(Role role, int64_t rows, int64_t width, const HeadStrides& strides) {
    ArraySpec made = spec(rows, width, strides);
    std::swap(made.sizes[2], made.sizes[3]);
    std::swap(made.strides[2], made.strides[3]);
    return graph_.array(role, made);
  }
  Graph::Node dense(Role role, int64_t rows, int64_t width) {
    const Four sizes{a_.batch, a_.heads, rows, width};
    return graph_.array(role, {data_type(a_.dtype), sizes, dense_strides(sizes)});
  }
  Graph::Node stats() {
    const Four sizes{a_.batch, a_.heads, a_.queries, 1};
    return graph_.array(Role::stats, {CUDNN_DATA_FLOAT, sizes, dense_strides(sizes)});
  }
  Graph::Node f32(int64_t rows, int64_t width) {
    const Four sizes{a_.batch, a_.heads, rows, width};
    return graph_.inner({CUDNN_DATA_FLOAT, sizes, dense_strides(sizes)});
  }
  Graph::Node matrix() { return f32(a_.queries, a_.keys); }
  Graph::Node turned_matrix() {
    const int64_t n = a_.queries * a_.keys;
    return graph_.inner(
        {data_type(a_.dtype), {a_.batch, a_.heads, a_.keys, a_.queries}, {a_.heads * n, n, 1, a_.keys}});
  }

  Graph& graph_;
  const DnnAttention& a_;
};

int64_t up_to_64(int64_t n) { return (n + 63) / 64 * 64; }

}  // namespace

void build(Graph& graph, const DnnAttention& problem, bool deterministic) {
  Attention attention(graph, problem);
  problem.backward ? attention.backward(deterministic) : attention.forward();
}

int64_t slice_of(const DnnAttention& problem, bool deterministic) {
  if (!problem.backward || !deterministic) return problem.batch;
  // ds in 16 bits and some f32 rows; read off the plans cuDNN made, with room to spare.
  const int64_t each = problem.heads * up_to_64(problem.queries) * (up_to_64(problem.keys) * 2 + 64);
  int64_t slice = std::min(problem.batch, kMostWorkspace / each);
  while (slice > 1 && problem.batch % slice != 0) --slice;
  return slice;
}

int64_t sums_bytes(const DnnAttention& problem, bool deterministic) {
  if (!problem.backward || deterministic) return 0;
  return problem.batch * problem.heads * problem.queries * problem.depth * int64_t(sizeof(float));
}

std::string name_of(const DnnAttention& problem) {
  const auto strides = [](const HeadStrides& s) { return fmt::format("{}x{}x{}", s.batch, s.head, s.row); };
  return fmt::format("attention_{}_{}_b{}_h{}_q{}_k{}_d{}_v{}_{}_{}_{}_{}", problem.backward ? "backward" : "forward",
                     problem.dtype, problem.batch, problem.heads, problem.queries, problem.keys, problem.depth,
                     problem.value_depth, strides(problem.q), strides(problem.k), strides(problem.v),
                     problem.backward ? strides(problem.grad) : "");
}

}  // namespace plumb::dnn
