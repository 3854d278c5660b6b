// The only file that knows BLAS. OpenBLAS picks its kernels by processor model when it is loaded, and a build older
// than the processor falls back to those of 2004: a fifth of the speed. Setting OPENBLAS_CORETYPE from inside the
// program comes too late, but the library's own start-up can be run again after setting it. Other BLAS builds lack
// these symbols, which are therefore weak, and are left alone.

#include "engine/blas.h"

#include <cblas.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <mutex>

#include "engine/parallel.h"
#include "engine/require.h"

extern "C" {
[[gnu::weak]] void gotoblas_dynamic_init(void);
[[gnu::weak]] void gotoblas_dynamic_quit(void);
[[gnu::weak]] char* openblas_get_corename(void);
[[gnu::weak]] void openblas_set_num_threads(int);
}

namespace plumb {
namespace {

// Ranks of instruction sets; a core name that is not listed uses none of them.
enum Level { kOlder, kAvx2, kAvx512, kAvx512Bf16 };

Level level_of_core(const char* name) {
  for (const char* known : {"Cooperlake", "SapphireRapids"})
    if (std::strcmp(name, known) == 0) return kAvx512Bf16;
  if (std::strcmp(name, "SkylakeX") == 0) return kAvx512;
  for (const char* known : {"Haswell", "Zen", "Excavator"})
    if (std::strcmp(name, known) == 0) return kAvx2;
  return kOlder;
}

Level level_of_cpu() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
  if (avx512 && __builtin_cpu_supports("avx512bf16")) return kAvx512Bf16;
  if (avx512) return kAvx512;
  if (avx2) return kAvx2;
#endif
  return kOlder;
}

void choose_core() {
  if (!gotoblas_dynamic_init || !gotoblas_dynamic_quit || std::getenv("OPENBLAS_CORETYPE")) return;
  const Level cpu = level_of_cpu();
  if (level_of_core(openblas_get_corename()) >= cpu) return;
  const char* const names[] = {"", "Haswell", "SkylakeX", "Cooperlake"};
  setenv("OPENBLAS_CORETYPE", names[cpu], 1);
  gotoblas_dynamic_quit();
  gotoblas_dynamic_init();
  unsetenv("OPENBLAS_CORETYPE");  // programs started from here decide for themselves
}

void prepare_blas() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (!openblas_set_num_threads || !openblas_get_corename) return;
    openblas_set_num_threads(1);
    choose_core();
  });
}

void product(const GemmSize& s, const MatrixView<float>& a, const MatrixView<float>& b, const GemmTarget<float>& c,
             float beta) {
  cblas_sgemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans, b.transposed ? CblasTrans : CblasNoTrans,
              int(s.m), int(s.n), int(s.k), 1, a.data, int(a.ld), b.data, int(b.ld), beta, c.data, int(c.ld));
}

void product(const GemmSize& s, const MatrixView<double>& a, const MatrixView<double>& b, const GemmTarget<double>& c,
             double beta) {
  cblas_dgemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans, b.transposed ? CblasTrans : CblasNoTrans,
              int(s.m), int(s.n), int(s.k), 1, a.data, int(a.ld), b.data, int(b.ld), beta, c.data, int(c.ld));
}

template <class T>
MatrixView<T> shifted(const MatrixView<T>& matrix, int64_t row, int64_t column) {
  MatrixView<T> result = matrix;
  result.data += matrix.transposed ? column * matrix.ld + row : row * matrix.ld + column;
  return result;
}

/// What c holds before the product is added to it.
template <class T>
void start_rows(const GemmSize& s, const GemmTarget<T>& c) {
  for (int64_t i = 0; i < s.m; ++i) {
    T* row = c.data + i * c.ld;
    if (c.bias)
      std::copy(c.bias, c.bias + s.n, row);
    else
      std::fill(row, row + s.n, T(0));
  }
}

/// Rows of two or three elements would be one call each: copy what is there already, twice as much every time.
template <class T>
void start_narrow_rows(const GemmSize& s, const GemmTarget<T>& c) {
  const int64_t total = s.m * s.n;
  std::copy(c.bias, c.bias + s.n, c.data);
  for (int64_t done = s.n; done < total; done *= 2)
    std::copy(c.data, c.data + std::min(done, total - done), c.data + done);
}

/// One tile, on this thread. OpenBLAS would clear c before adding to it, so writing the bias instead costs nothing.
template <class T>
void run_tile(const GemmSize& s, const MatrixView<T>& a, const MatrixView<T>& b, const GemmTarget<T>& c) {
  const bool start = c.bias || s.k == 0;
  if (start && c.bias && c.ld == s.n && s.n < 16)
    start_narrow_rows(s, c);
  else if (start)
    start_rows(s, c);
  if (s.k > 0) product(s, a, b, c, T(start));
}

struct Tiles {
  int64_t rows, columns;  // of one tile
};

// A tile should be worth waking a thread for (2^22 multiply-adds are 50 us) and tall and wide enough that packing its
// operands is small beside the product.
constexpr int64_t kTileWork = int64_t(1) << 22;
constexpr int64_t kTileRows = 256;
constexpr int64_t kTileColumns = 512;

Tiles choose_tiles(const GemmSize& s) {
  Tiles tiles{std::min(s.m, kTileRows), std::min(s.n, kTileColumns)};
  // Shallow products: grow the longer side's tile until it is worth a task.
  while (tiles.rows < s.m && tiles.rows * tiles.columns * s.k < kTileWork) tiles.rows = std::min(s.m, 2 * tiles.rows);
  while (tiles.columns < s.n && tiles.rows * tiles.columns * s.k < kTileWork)
    tiles.columns = std::min(s.n, 2 * tiles.columns);
  return tiles;
}

bool fits_int(int64_t value) { return value <= std::numeric_limits<int>::max(); }

}  // namespace

template <class T>
void blas_gemm(const GemmSize& size, const MatrixView<T>& a, const MatrixView<T>& b, const GemmTarget<T>& c) {
  if (size.m == 0 || size.n == 0) return;
  prepare_blas();
  require<ShapeError>(fits_int(size.k) && fits_int(a.ld) && fits_int(b.ld) && fits_int(c.ld),
                      "gemm: depth and leading dimensions must fit 32 bits (k {}, lda {}, ldb {}, ldc {})", size.k,
                      a.ld, b.ld, c.ld);
  const Tiles tiles = choose_tiles(size);
  const int64_t across = (size.n + tiles.columns - 1) / tiles.columns;
  const int64_t down = (size.m + tiles.rows - 1) / tiles.rows;
  parallel_for(across * down, 1, [&](int64_t begin, int64_t end) {
    for (int64_t tile = begin; tile < end; ++tile) {
      const int64_t row = tile / across * tiles.rows, column = tile % across * tiles.columns;
      const GemmSize part{std::min(tiles.rows, size.m - row), std::min(tiles.columns, size.n - column), size.k};
      GemmTarget<T> target = c;
      target.data += row * c.ld + column;
      if (target.bias) target.bias += column;
      run_tile(part, shifted(a, row, 0), shifted(b, 0, column), target);
    }
  });
}

template void blas_gemm(const GemmSize&, const MatrixView<float>&, const MatrixView<float>&, const GemmTarget<float>&);
template void blas_gemm(const GemmSize&, const MatrixView<double>&, const MatrixView<double>&,
                        const GemmTarget<double>&);

const char* blas_core_name() {
  prepare_blas();
  return openblas_get_corename ? openblas_get_corename() : "unknown";
}

}  // namespace plumb
