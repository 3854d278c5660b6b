// A problem is planned once a process. Deterministic: the first plan that cuDNN's heuristic names and that adds in a
// fixed order, so that no file and no clock has a say in the bits. Otherwise the first few are timed on the arrays of
// the first call, and the choice is kept on disk. While a graph is recorded nothing can be timed: then the first.

#include "engine/cuda/dnn/dnn.h"

#include <memory>
#include <mutex>
#include <unordered_map>

#include "engine/cuda/dnn/execute.h"
#include "engine/cuda/dnn/plan_cache.h"
#include "engine/cuda/dnn/problems.h"
#include "engine/tensor.h"

namespace plumb {
namespace dnn {
namespace {

constexpr size_t kTimed = 4;

/// What a call brings.
struct Request {
  const char* op;
  const Cuda& cuda;
  std::string name;
  bool full_f32;
  std::span<const Address> addresses;
};

/// Held while a plan is made or runs: sessions and plans are shared by all threads.
std::mutex& lock_of_all() {
  static std::mutex& mutex = *new std::mutex;
  return mutex;
}

template <class Build>
Plan choose(const Request& request, const Build& build) {
  const Target& target = session_of(request.op, request.cuda).target;
  const PlanFolder folder(target);
  if (Plan kept = folder.load(target, request.name); kept.descriptor.is_good()) return kept;
  const bool timed = !request.cuda.deterministic && !is_recording(request.cuda);
  Graph graph;
  build(graph);
  std::string why_none;
  std::vector<Plan> plans =
      make_plans(target, graph, {request.cuda.deterministic, request.full_f32, timed ? kTimed : 1}, &why_none);
  if (plans.empty()) return {};
  const size_t best = plans.size() > 1 ? fastest(request.op, request.cuda, plans, request.addresses) : 0;
  if (timed || request.cuda.deterministic) folder.store(request.name, plans[best]);
  return std::move(plans[best]);
}

/// Runs the plan of the problem; false when it has none, which is remembered too.
template <class Build>
bool run(Request request, const Build& build) {
  static auto& plans = *new std::unordered_map<std::string, Plan>;
  if (request.cuda.deterministic) request.name += "_deterministic";
  const std::string key = std::to_string(request.cuda.device) + ":" + request.name;
  auto found = plans.find(key);
  if (found == plans.end()) found = plans.emplace(key, choose(request, build)).first;
  if (!found->second.descriptor.is_good()) return false;
  execute(request.op, request.cuda, found->second, request.addresses);
  return true;
}

const char* advance(const void* data, int64_t elements, size_t size) {
  return static_cast<const char*>(data) + elements * int64_t(size);
}

/// The data of the batch from `first` on.
DnnAttentionData slice(const DnnAttention& a, const DnnAttentionData& data, int64_t first) {
  const size_t size = size_of(a.dtype);
  const int64_t rows = first * a.heads * a.queries, keys = first * a.heads * a.keys;
  DnnAttentionData part;
  part.q = advance(data.q, first * a.q.batch, size);
  part.k = advance(data.k, first * a.k.batch, size);
  part.v = advance(data.v, first * a.v.batch, size);
  part.grad = advance(data.grad, first * a.grad.batch, size);
  part.out = const_cast<char*>(advance(data.out, rows * a.value_depth, size));
  part.lse = data.lse + rows;
  part.grad_q = const_cast<char*>(advance(data.grad_q, rows * a.depth, size));
  part.grad_k = const_cast<char*>(advance(data.grad_k, keys * a.depth, size));
  part.grad_v = const_cast<char*>(advance(data.grad_v, keys * a.value_depth, size));
  return part;
}

bool run_attention(const char* op, const Cuda& cuda, const DnnAttention& problem, const DnnAttentionData& data) {
  const int64_t bytes = sums_bytes(problem, cuda.deterministic);
  const Tensor sums = empty({bytes}, DType::u8, {DeviceType::cuda, int8_t(cuda.device)});
  const float one = 1;
  std::vector<Address> addresses{{Role::q, data.q},     {Role::k, data.k},       {Role::v, data.v},
                                 {Role::out, data.out}, {Role::stats, data.lse}, {Role::scale, &problem.scale}};
  if (problem.backward)
    addresses.insert(addresses.end(), {{Role::grad, data.grad},
                                       {Role::grad_q, data.grad_q},
                                       {Role::grad_k, data.grad_k},
                                       {Role::grad_v, data.grad_v},
                                       {Role::one, &one}});
  if (bytes > 0) addresses.push_back({Role::sums, sums.raw_data()});
  return run({op, cuda, name_of(problem), false, addresses},
             [&](Graph& graph) { build(graph, problem, cuda.deterministic); });
}

}  // namespace
}  // namespace dnn

bool dnn_convolution(const char* op, const Cuda& cuda, const DnnConvolution& problem, const DnnConvolutionData& data) {
  using dnn::Role;
  const std::lock_guard lock(dnn::lock_of_all());
  std::vector<dnn::Address> addresses{{Role::x, data.x}, {Role::weight, data.weight}, {Role::y, data.y}};
  if (problem.has_bias) addresses.push_back({Role::bias, data.bias});
  return dnn::run({op, cuda, dnn::name_of(problem), problem.dtype == DType::f32, addresses},
                  [&](dnn::Graph& graph) { dnn::build(graph, problem); });
}

bool dnn_attention(const char* op, const Cuda& cuda, const DnnAttention& problem, const DnnAttentionData& data) {
  const std::lock_guard lock(dnn::lock_of_all());
  const int64_t count = dnn::slice_of(problem, cuda.deterministic);
  if (count == 0) return false;
  DnnAttention part = problem;
  part.batch = count;
  for (int64_t first = 0; first < problem.batch; first += count)
    if (!dnn::run_attention(op, cuda, part, dnn::slice(problem, data, first))) return false;
  return true;
}

}  // namespace plumb
