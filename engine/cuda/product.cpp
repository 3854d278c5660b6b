// cuBLASLt thinks in columns: a row-major out = a b is its out^T = b^T a^T, and there the bias runs along the rows,
// which is what its epilogue adds. The first algorithm its heuristic names is taken, and kept by shape: no timing, so
// the same run always takes the same one. Algorithms that load 16 bytes at a time need matrices that begin at such
// addresses, so the alignment of every operand is part of what is asked.

#include "engine/cuda/product.h"

#include <cmath>  // cuComplex.h, below, uses it without including it

#include <cublasLt.h>
#include <dlfcn.h>

#include <array>
#include <map>
#include <mutex>
#include <string>

#include "engine/cuda/check.cuh"
#include "engine/cuda/memory.h"
#include "engine/require.h"

namespace plumb {
namespace {

constexpr size_t kWorkspace = size_t(32) << 20;

/// The functions used, from the library that the program's rpath or LD_LIBRARY_PATH leads to.
class Library {
 public:
  Library() {
    const std::string name = "libcublasLt.so." + std::to_string(CUBLAS_VER_MAJOR);
    handle_ = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    require<CudaError>(handle_ != nullptr, "matmul: cannot load cuBLASLt ({})", handle_ ? "" : dlerror());
    load(create, "cublasLtCreate");
    load(status_name, "cublasLtGetStatusName");
    load(create_operation, "cublasLtMatmulDescCreate");
    load(destroy_operation, "cublasLtMatmulDescDestroy");
    load(set_operation, "cublasLtMatmulDescSetAttribute");
    load(create_layout, "cublasLtMatrixLayoutCreate");
    load(destroy_layout, "cublasLtMatrixLayoutDestroy");
    load(set_layout, "cublasLtMatrixLayoutSetAttribute");
    load(create_preference, "cublasLtMatmulPreferenceCreate");
    load(destroy_preference, "cublasLtMatmulPreferenceDestroy");
    load(set_preference, "cublasLtMatmulPreferenceSetAttribute");
    load(get_heuristic, "cublasLtMatmulAlgoGetHeuristic");
    load(multiply, "cublasLtMatmul");
  }

  decltype(&cublasLtCreate) create;
  decltype(&cublasLtGetStatusName) status_name;
  decltype(&cublasLtMatmulDescCreate) create_operation;
  decltype(&cublasLtMatmulDescDestroy) destroy_operation;
  decltype(&cublasLtMatmulDescSetAttribute) set_operation;
  decltype(&cublasLtMatrixLayoutCreate) create_layout;
  decltype(&cublasLtMatrixLayoutDestroy) destroy_layout;
  decltype(&cublasLtMatrixLayoutSetAttribute) set_layout;
  decltype(&cublasLtMatmulPreferenceCreate) create_preference;
  decltype(&cublasLtMatmulPreferenceDestroy) destroy_preference;
  decltype(&cublasLtMatmulPreferenceSetAttribute) set_preference;
  decltype(&cublasLtMatmulAlgoGetHeuristic) get_heuristic;
  decltype(&cublasLtMatmul) multiply;

 private:
  template <class F>
  void load(F& function, const char* name) {
    function = reinterpret_cast<F>(dlsym(handle_, name));
    require<CudaError>(function != nullptr, "matmul: cuBLASLt lacks {}", name);
  }
  void* handle_ = nullptr;
};

// Never unloaded: the driver may be gone before static destructors run.
const Library& library() {
  static const Library& instance = *new Library;
  return instance;
}

void check(const char* op, cublasStatus_t status) {
  if (status != CUBLAS_STATUS_SUCCESS) raise_cuda(op, library().status_name(status), "cuBLASLt refused");
}

cublasLtHandle_t handle_of(const char* op, int device) {
  static auto& handles = *new std::map<int, cublasLtHandle_t>;
  cublasLtHandle_t& handle = handles[device];
  if (!handle) check(op, library().create(&handle));
  return handle;
}

/// The descriptors of one product and the algorithm chosen for it.
struct Plan {
  cublasLtMatmulDesc_t operation = nullptr;
  cublasLtMatrixLayout_t a = nullptr, b = nullptr, out = nullptr;
  cublasLtMatmulAlgo_t algorithm = {};
};

/// Bytes that `data` is a multiple of, at most 256, the allocator's and what cuBLASLt expects unless told.
int64_t alignment_of(const void* data) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(data) | 256;
  return int64_t(address & (~address + 1));
}

cudaDataType_t cuda_type(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return CUDA_R_64F;
    case DType::bf16:
      return CUDA_R_16BF;
    case DType::f16:
      return CUDA_R_16F;
    default:
      return CUDA_R_32F;
  }
}

cublasLtEpilogue_t epilogue_of(bool bias, FusedActivation activation) {
  switch (activation) {
    case FusedActivation::relu:
      return bias ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_RELU;
    case FusedActivation::gelu_tanh:
      return bias ? CUBLASLT_EPILOGUE_GELU_BIAS : CUBLASLT_EPILOGUE_GELU;
    default:
      return bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
  }
}

using Key = std::array<int64_t, 19>;

struct Request {
  int device;
  bool deterministic;
  ProductTypes types;
  ProductSize size;
  ProductOperand a, b;
  ProductEpilogue epilogue;
  const void* out;

  Key key() const {
    return {device,
            deterministic,
            int64_t(types.in),
            int64_t(types.out),
            size.m,
            size.n,
            size.k,
            size.batch,
            a.ld,
            a.transposed,
            a.batch_stride,
            b.ld,
            b.transposed,
            b.batch_stride,
            epilogue_of(epilogue.bias, epilogue.activation),
            alignment_of(a.data),
            alignment_of(b.data),
            alignment_of(out),
            epilogue.bias ? alignment_of(epilogue.bias) : 0};
  }
};

class Planner {
 public:
  Planner(const char* op, const Request& request) : op_(op), request_(request) {}

  Plan make() {
    const ProductSize& s = request_.size;
    const auto [in, out] = request_.types;
    plan_.a = layout(request_.b, in, s.n, s.k);  // the first operand of out^T = b^T a^T
    plan_.b = layout(request_.a, in, s.k, s.m);
    plan_.out = layout({nullptr, s.n, false, s.m * s.n}, out, s.n, s.m);
    make_operation();
    choose();
    return plan_;
  }

 private:
  /// Of a matrix that is `rows` by `columns` to cuBLASLt; transposed ones lie the other way round in memory.
  cublasLtMatrixLayout_t layout(const ProductOperand& x, DType dtype, int64_t rows, int64_t columns) {
    if (x.transposed) std::swap(rows, columns);
    cublasLtMatrixLayout_t made = nullptr;
    check(op_, library().create_layout(&made, cuda_type(dtype), uint64_t(rows), uint64_t(columns), x.ld));
    const int32_t batch = int32_t(request_.size.batch);
    check(op_, library().set_layout(made, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &batch, sizeof batch));
    check(op_, library().set_layout(made, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &x.batch_stride,
                                    sizeof x.batch_stride));
    return made;
  }

  template <class T>
  void set(cublasLtMatmulDescAttributes_t attribute, const T& value) {
    check(op_, library().set_operation(plan_.operation, attribute, &value, sizeof value));
  }

  void make_operation() {
    const bool wide = request_.types.in == DType::f64;
    check(op_, library().create_operation(&plan_.operation, wide ? CUBLAS_COMPUTE_64F : CUBLAS_COMPUTE_32F,
                                          wide ? CUDA_R_64F : CUDA_R_32F));
    set(CUBLASLT_MATMUL_DESC_TRANSA, request_.b.transposed ? CUBLAS_OP_T : CUBLAS_OP_N);
    set(CUBLASLT_MATMUL_DESC_TRANSB, request_.a.transposed ? CUBLAS_OP_T : CUBLAS_OP_N);
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue_of(request_.epilogue.bias, request_.epilogue.activation));
  }

  template <class T>
  void prefer(cublasLtMatmulPreference_t preference, cublasLtMatmulPreferenceAttributes_t attribute, const T& value) {
    check(op_, library().set_preference(preference, attribute, &value, sizeof value));
  }

  void choose() {
    cublasLtMatmulPreference_t preference = nullptr;
    check(op_, library().create_preference(&preference));
    prefer(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kWorkspace);
    prefer(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, uint32_t(alignment_of(request_.b.data)));
    prefer(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, uint32_t(alignment_of(request_.a.data)));
    prefer(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, uint32_t(alignment_of(request_.out)));
    prefer(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, uint32_t(alignment_of(request_.out)));
    if (request_.deterministic)  // no sums split over blocks
      prefer(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, uint32_t(CUBLASLT_REDUCTION_SCHEME_NONE));
    cublasLtMatmulHeuristicResult_t found = {};
    int count = 0;
    check(op_, library().get_heuristic(handle_of(op_, request_.device), plan_.operation, plan_.a, plan_.b, plan_.out,
                                       plan_.out, preference, 1, &found, &count));
    check(op_, library().destroy_preference(preference));
    check(op_, count == 0 ? CUBLAS_STATUS_NOT_SUPPORTED : found.state);
    plan_.algorithm = found.algo;
  }

  const char* op_;
  const Request& request_;
  Plan plan_;
};

Plan plan_of(const char* op, const Request& request) {
  static auto& plans = *new std::map<Key, Plan>;
  const auto found = plans.find(request.key());
  if (found != plans.end()) return found->second;
  return plans.emplace(request.key(), Planner(op, request).make()).first->second;
}

}  // namespace

// wide: a BLAS call
void matrix_product(const char* op, const Cuda& cuda, const ProductTypes& types, const ProductSize& size,
                    const ProductOperand& a, const ProductOperand& b, const ProductEpilogue& epilogue, void* out) {
  static std::mutex& mutex = *new std::mutex;  // of handles and plans, whose bias pointer is set for each call
  const std::lock_guard lock(mutex);
  const Plan plan = plan_of(op, {cuda.device, cuda.deterministic, types, size, a, b, epilogue, out});
  if (epilogue.bias)
    check(op, library().set_operation(plan.operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &epilogue.bias,
                                      sizeof epilogue.bias));
  const double one_wide = 1, zero_wide = 0;
  const float one = 1, zero = 0;
  const bool wide = types.in == DType::f64;
  CudaBlock* workspace = allocate_cuda(kWorkspace, {DeviceType::cuda, int8_t(cuda.device)});
  const cublasStatus_t status = library().multiply(
      handle_of(op, cuda.device), plan.operation, wide ? static_cast<const void*>(&one_wide) : &one, b.data, plan.a,
      a.data, plan.b, wide ? static_cast<const void*>(&zero_wide) : &zero, out, plan.out, out, plan.out,
      &plan.algorithm, workspace->data, kWorkspace, static_cast<cudaStream_t>(cuda.stream));
  free_cuda(workspace);  // reused by later work of this stream only
  check(op, status);
}

}  // namespace plumb
