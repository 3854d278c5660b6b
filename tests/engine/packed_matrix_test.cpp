#include "engine/packed_matrix.h"

#include <doctest/doctest.h>

#include <vector>

#include "engine/isa/kernels.h"
#include "engine/packed_gemm.h"
#include "engine/parallel.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

std::vector<float> random_values(int64_t count, uint64_t seed) {
  return random_tensor({count}, seed).to_vector<float>();
}

}  // namespace

TEST_CASE("packed matrix: has the bits of the product that packs by itself, on every instruction set") {
  uint64_t seed = 1;
  for (const char* name : {"avx2", "avx512"}) {
    const Kernels* isa = find_kernels(name);
    if (!isa) continue;
    for (const GemmSize& size : {GemmSize{1, 1, 1}, GemmSize{3, 40, 5}, GemmSize{16, 33, 300}, GemmSize{15, 64, 31},
                                 GemmSize{300, 97, 513}, GemmSize{40, 4500, 300}})
      for (const bool turned : {false, true}) {
        const int64_t lda = size.k + 2, ldb = (turned ? size.k : size.n) + 3, ldc = size.n + 1;
        const std::vector<float> a = random_values(size.m * lda, ++seed), bias = random_values(size.n, ++seed);
        std::vector<float> b = random_values((turned ? size.n : size.k) * ldb, ++seed);
        std::vector<float> own(size_t(size.m * ldc), 7), packed = own;
        packed_gemm(isa->gemm, size, {a.data(), lda}, {b.data(), ldb, turned},
                    {.data = own.data(), .ld = ldc, .bias = bias.data()});
        const PackedMatrix matrix(isa->gemm, {b.data(), ldb, turned}, size.k, size.n);
        b.assign(b.size(), 0);  // it is a copy
        packed_gemm(isa->gemm, size, {a.data(), lda}, matrix, {.data = packed.data(), .ld = ldc, .bias = bias.data()});
        CAPTURE(size.n);
        CHECK(packed == own);
        CHECK(matrix.rows() == size.k);
        CHECK(matrix.columns() == size.n);
        CHECK(matrix.bytes() >= 4 * size.k * size.n);
      }
  }
}

TEST_CASE("packed matrix: gemm takes it for any number of rows, with the same bits for any number of threads") {
  const int64_t n = 700, k = 260;
  const std::vector<float> a = random_values(601 * k, 1), b = random_values(n * k, 2), bias = random_values(n, 3);
  const PackedMatrix matrix({b.data(), k, true}, k, n);
  std::vector<float> all(size_t(601 * n)), none{7};
  gemm(601, {a.data(), k}, matrix, {.data = all.data(), .ld = n, .bias = bias.data()});
  gemm(0, {a.data(), k}, matrix, {.data = none.data(), .ld = n});
  CHECK(none == std::vector<float>{7});
  std::vector<float> plain(all.size());
  gemm<float>({601, n, k}, {a.data(), k}, {b.data(), k, true}, {.data = plain.data(), .ld = n, .bias = bias.data()});
  CHECK(all == plain);
  const int before = num_threads();
  for (const int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    std::vector<float> again(all.size());
    gemm(601, {a.data(), k}, matrix, {.data = again.data(), .ld = n, .bias = bias.data()});
    CHECK(again == all);
  }
  set_num_threads(before);
  if (!kernels().gemm.tile) return;  // BLAS' bits depend on the number of rows
  std::vector<float> row(static_cast<size_t>(n));
  gemm(1, {a.data() + 600 * k, k}, matrix, {.data = row.data(), .ld = n, .bias = bias.data()});
  CHECK(row == std::vector<float>(all.begin() + 600 * n, all.end()));
}
