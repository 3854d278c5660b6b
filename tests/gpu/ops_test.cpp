// Every op of the conformance table on the device, against float64 on the CPU, and against itself.

#include <doctest/doctest.h>

#include <algorithm>

#include "apps/op/op_table.h"
#include "apps/op/run_case.h"
#include "engine/backend.h"
#include "tests/apps/op/large_cases.h"
#include "tests/gpu/accuracy.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

// Norm of the error over that of the result. 16-bit results are rounded once; 32-bit ones sum in f32 without tf32.
double allowed(DType dtype) {
  return dtype == DType::f64 ? 1e-12 : dtype == DType::f32 ? 1e-5 : dtype == DType::f16 ? 2e-3 : 1e-2;
}

void check_on_device(const OpCase& item, DType dtype, Layout layout) {
  std::string worst, worst_on_cpu;
  const TensorMap inputs = large_inputs(item, dtype, layout);
  const double error = device_error(item, inputs, kCuda, worst);
  // A gradient made from a result of 16 bits can lose more, wherever it is computed: logsumexp's, attention's.
  const double limit =
      error <= allowed(dtype) ? error : std::max(allowed(dtype), 1.5 * device_error(item, inputs, kCpu, worst_on_cpu));
  CHECK_MESSAGE(error <= limit, title_of(item, dtype, layout) << ": " << worst << " is off by " << error);
}

void check_in_all_types(const OpCase& item) {
  for (DType dtype : {DType::f32, DType::bf16, DType::f64}) check_on_device(item, dtype, Layout::dense);
  check_on_device(item, DType::f32, Layout::reversed);
  if (!has_picture(item)) return;
  check_on_device(item, DType::f32, Layout::channels_last);
  check_on_device(item, DType::bf16, Layout::channels_last);
}

}  // namespace

TEST_CASE("gpu: every op and gradient agrees with float64 on the CPU, small shapes") {
  for (const OpEntry& op : op_table())
    for (const OpCase& item : cases_of(op.name)) check_in_all_types(item);
}

TEST_CASE("gpu: every op and gradient agrees with float64 on the CPU, large shapes") {
  for (const OpEntry& op : op_table())
    for (const OpCase& item : large_cases(op.name)) check_in_all_types(item);
}

TEST_CASE("gpu: with --deterministic every op and gradient has the same bits twice, large shapes") {
  set_deterministic(true);
  for (const OpEntry& op : op_table())
    for (const OpCase& item : large_cases(op.name))
      for (DType dtype : {DType::f32, DType::bf16}) {
        const Json attributes = item.attributes.empty() ? Json::object() : Json::parse(item.attributes);
        const TensorMap inputs = large_inputs(item, dtype, Layout::dense);
        const auto run = [&] { return run_op_case(op, &attributes, inputs.contains("g0"), inputs, kCuda); };
        const TensorMap first = run(), second = run();
        for (const auto& [name, tensor] : first)
          CHECK_MESSAGE(bits_of(tensor) == bits_of(second.at(name)), title_of(item, dtype, Layout::dense)
                                                                         << ": " << name);
      }
  set_deterministic(false);
}
