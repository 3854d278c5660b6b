#include <doctest/doctest.h>

#include <set>

#include "apps/op/op_table.h"
#include "engine/profile/profiler.h"
#include "tests/apps/op/large_cases.h"
#include "tests/support/numeric.h"

using namespace plumb;
using namespace plumb::test;

namespace {

/// Views move nothing.
bool is_view(std::string_view op) {
  static const std::set<std::string_view> names{"expand", "permute", "reshape",   "select",
                                                "slice",  "squeeze", "transpose", "unsqueeze"};
  return names.contains(op);
}

std::string bits_of_all(const TensorMap& tensors) {
  std::string bits;
  for (const auto& [name, tensor] : tensors) bits += bits_of(tensor);
  return bits;
}

/// Bytes that the outermost ops with work say they wrote.
int64_t written(const Profile& profile) {
  int64_t bytes = 0;
  for (const ProfileEvent& event : profile.events)
    if (event.kind == EventKind::op) bytes += event.written_bytes;
  return bytes;
}

}  // namespace

TEST_CASE("profiler: sees every op of the table, forward and backward, and changes no bit") {
  for (const OpEntry& op : op_table()) {
    for (const OpCase& item : large_cases(op.name)) {
      const std::string title = title_of(item, DType::f32, Layout::dense);
      const TensorMap inputs = large_inputs(item, DType::f32, Layout::dense);
      const std::string expected = bits_of_all(run_large(item, inputs));
      Profiler profiler;
      const TensorMap outputs = run_large(item, inputs);
      const Profile profile = profiler.stop();
      CHECK_MESSAGE(bits_of_all(outputs) == expected, title);
      bool backward = false;
      for (const ProfileEvent& event : profile.events) backward = backward || event.kind == EventKind::backward;
      CHECK_MESSAGE(backward == inputs.contains("g0"), title);
      if (is_view(op.name)) continue;
      const Tensor& out = outputs.at("out0");
      CHECK_MESSAGE(written(profile) >= out.numel() * size_of(out.dtype()), title);
    }
  }
}
