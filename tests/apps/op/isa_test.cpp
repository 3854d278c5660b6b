// The kernels in use are fixed when a process first needs them, so each instruction set runs in a process of its own:
// this test program starts itself again with PLUMB_ISA set, and the child writes down what every op gave.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string_view>

#include "apps/op/op_table.h"
#include "engine/io/safetensors.h"
#include "engine/isa/kernels.h"
#include "tests/apps/op/large_cases.h"
#include "tests/support/numeric.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using namespace plumb::test;

namespace {

constexpr const char* kResults = "PLUMB_TEST_RESULTS";

/// Largest difference of a matrix product in f32 between any two sets, in units of the result's root mean square;
/// docs/numerics.md states it.
constexpr double kProductTolerance = 2e-5;

/// linear_act, linear_attention, … too.
bool is_product(std::string_view op) {
  for (const char* part : {"attention", "conv", "linear", "matmul"})
    if (op.find(part) != std::string_view::npos && op != "interpolate_bilinear") return true;
  return false;
}

Tensor hash_of(const Tensor& x) {
  const auto hash = uint64_t(std::hash<std::string>()(bits_of(x)));
  return from_vector<int64_t>({int64_t(hash)}, {1});
}

/// "title#out0" of every case: the values of a product in f32, otherwise a hash of the bits.
TensorMap all_results() {
  TensorMap results;
  const auto add = [&](const OpCase& item, DType dtype, Layout layout) {
    const bool values = is_product(item.op) && dtype != DType::f64;
    for (const auto& [name, tensor] : run_large(item, large_inputs(item, dtype, layout)))
      results[title_of(item, dtype, layout) + "#" + name] = values ? tensor.contiguous() : hash_of(tensor);
  };
  for (const OpEntry& op : op_table())
    for (const OpCase& item : large_cases(op.name)) {
      for (const DType dtype : {DType::f32, DType::f64, DType::bf16}) add(item, dtype, Layout::dense);
      if (has_picture(item)) add(item, DType::f32, Layout::channels_last);
    }
  return results;
}

TensorMap results_of(const char* isa, const TempDir& folder) {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe");
  const std::string file = folder / isa;
  const std::string command = std::string("PLUMB_ISA=") + isa + " " + kResults + "='" + file + "' '" + program +
                              "' --no-skip --test-case='isa: child*' > /dev/null";
  REQUIRE(std::system(command.c_str()) == 0);
  return load_safetensors(file);
}

/// Largest difference over the root mean square of `b`.
double difference(const Tensor& a, const Tensor& b) {
  const std::vector<double> x = a.to_vector<double>(), y = b.to_vector<double>();
  double worst = 0, squares = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    worst = std::max(worst, std::abs(x[i] - y[i]));
    squares += y[i] * y[i];
  }
  return squares > 0 ? worst / std::sqrt(squares / double(x.size())) : worst;
}

}  // namespace

TEST_CASE("isa: child, writes down what every op gives" * doctest::skip()) {
  const char* file = std::getenv(kResults);
  if (file) save_safetensors(file, all_results());
}

TEST_CASE("isa: every op has the same bits in every instruction set, matrix products in f32 nearly") {
  if (!std::filesystem::exists("/proc/self/exe")) {
    MESSAGE("skipped: this system does not say where the program lies");
    return;
  }
  const TempDir folder;
  const TensorMap portable = results_of("portable", folder);
  TensorMap widest;
  double worst = 0, worst_half = 0;
  for (const char* isa : {"avx2", "avx512"}) {
    if (!find_kernels(isa)) {
      MESSAGE("skipped: this processor or build lacks " << isa);
      continue;
    }
    CAPTURE(isa);
    const TensorMap results = results_of(isa, folder);
    REQUIRE(results.size() == portable.size());
    for (const auto& [name, expected] : portable) {
      const Tensor& found = results.at(name);
      if (expected.dtype() == DType::i64 || bits_of(found) == bits_of(expected)) {
        CHECK_MESSAGE(bits_of(found) == bits_of(expected), name);
        continue;
      }
      double& most = expected.dtype() == DType::f32 ? worst : worst_half;
      const double apart = difference(found, expected);
      most = std::max(most, apart);
      CHECK_MESSAGE(apart <= (expected.dtype() == DType::f32 ? kProductTolerance : 0.04), name << " " << apart);
    }
    for (const auto& [name, other] : widest) CHECK_MESSAGE(bits_of(results.at(name)) == bits_of(other), name);
    widest = results;
  }
  MESSAGE("products apart by " << worst << " in f32, " << worst_half << " in bf16, of their root mean square");
}
