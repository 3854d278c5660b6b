#include <doctest/doctest.h>

#include <vector>

#include "apps/op/op_table.h"
#include "engine/parallel.h"
#include "tests/apps/op/large_cases.h"
#include "tests/support/numeric.h"
#include "tests/support/sanitized.h"

using namespace plumb;
using namespace plumb::test;

namespace {

// The address sanitizer looks for accesses outside the chunks, which one number of threads shows; bits are compared by
// the ordinary build.
const std::vector<int> kThreadCounts = kSanitized ? std::vector<int>{3} : std::vector<int>{2, 3, 8};

struct Run {
  std::string title;
  OpCase item;
  TensorMap inputs;
  std::string bits;  // with one thread
};

std::string bits_of_all(const TensorMap& tensors) {
  std::string bits;
  for (const auto& [name, tensor] : tensors) bits += bits_of(tensor);
  return bits;
}

std::vector<Run> all_runs() {
  std::vector<Run> runs;
  const auto add = [&](const OpCase& item, DType dtype, Layout layout) {
    runs.push_back({title_of(item, dtype, layout), item, large_inputs(item, dtype, layout), {}});
  };
  for (const OpEntry& op : op_table())
    for (const OpCase& item : large_cases(op.name)) {
      add(item, DType::f32, Layout::dense);
      add(item, DType::f32, Layout::reversed);
      if (has_picture(item)) add(item, DType::f32, Layout::channels_last);
      add(item, DType::f64, Layout::dense);
      add(item, DType::bf16, Layout::dense);
    }
  return runs;
}

}  // namespace

TEST_CASE("op: every op of the table has a case large enough to be split") {
  for (const OpEntry& op : op_table()) {
    CAPTURE(op.name);
    CHECK_FALSE(large_cases(op.name).empty());
  }
}

TEST_CASE("op: every op and its gradient has the same bits for any number of threads") {
  std::vector<Run> runs = all_runs();
  const int before = num_threads();
  set_num_threads(1);
  for (Run& run : runs) run.bits = bits_of_all(run_large(run.item, run.inputs));
  for (int threads : kThreadCounts) {
    set_num_threads(threads);
    for (const Run& run : runs) {
      const bool same = bits_of_all(run_large(run.item, run.inputs)) == run.bits;
      CHECK_MESSAGE(same, run.title << " with " << threads << " threads");
    }
  }
  set_num_threads(before);
}
