#include "apps/gradcheck/op_cases.h"

namespace plumb {
namespace {

constexpr Values kAny = Values::any;

void add_products(std::vector<OpCase>& cases) {
  cases.push_back({"matmul", {{kAny, {3, 4}}, {kAny, {4, 2}}}});
  cases.push_back({"matmul", {{kAny, {2, 1, 2, 3}}, {kAny, {2, 3, 2}}}});
  cases.push_back({"matmul", {{kAny, {4}}, {kAny, {4, 3}}}});
  cases.push_back({"matmul", {{kAny, {5}}, {kAny, {5}}}});
  cases.push_back({"linear", {{kAny, {3, 4}}, {kAny, {2, 4}}, {kAny, {2}}}});
  cases.push_back({"linear", {{kAny, {2, 2, 3}}, {kAny, {1, 3}}}});
  cases.push_back({"linear", {{kAny, {3}}, {kAny, {2, 3}}, {kAny, {2}}}});
  for (const char* attributes :
       {R"({"activation": "silu"})", R"({"activation": "gelu"})", R"({"activation": "gelu_tanh"})"})
    cases.push_back({"linear_act", {{kAny, {3, 4}}, {kAny, {2, 4}}, {kAny, {2}}}, attributes});
}

/// Blocks are of 64 queries and 512 keys forward, 256 and 128 backward: a case past them is the tests' business.
void add_attention(std::vector<OpCase>& cases) {
  cases.push_back({"attention", {{kAny, {2, 3, 4}}, {kAny, {2, 5, 4}}, {kAny, {2, 5, 3}}}});
  cases.push_back({"attention", {{kAny, {4, 3}}, {kAny, {4, 3}}, {kAny, {4, 2}}}, R"({"causal": true})"});
  cases.push_back({"attention", {{kAny, {3, 2}}, {kAny, {2, 2}}, {kAny, {2, 1}}}, R"({"causal": true, "scale": -2})"});
  // Positive, so that nothing lies near relu's kink.
  constexpr Values kPositive = Values::positive;
  cases.push_back({"linear_attention", {{kPositive, {2, 3, 4}}, {kPositive, {2, 5, 4}}, {kAny, {2, 5, 3}}}});
  cases.push_back({"linear_attention", {{kPositive, {4, 3}}, {kPositive, {2, 3}}, {kAny, {2, 1}}}});
}

void add_blocks(std::vector<OpCase>& cases) {
  cases.push_back({"geglu", {{kAny, {3, 6}}}});
  cases.push_back({"geglu", {{kAny, {2}}}});
  cases.push_back({"rms_norm", {{Values::distinct, {3, 6}}}});
  cases.push_back(
      {"rms_norm", {{Values::distinct, {2, 3, 4}}, {kAny, {3, 4}}}, R"({"normalized_shape": [3, 4], "eps": 0.001})"});
}

void add_layout(std::vector<OpCase>& cases) {
  cases.push_back({"cat", {{kAny, {2, 3}}, {kAny, {1, 3}}, {kAny, {2, 3}}}, R"({"dim": 0})"});
  cases.push_back({"cat", {{kAny, {2, 1, 2}}, {kAny, {2, 3, 2}}}, R"({"dim": -2})"});
  cases.push_back({"stack", {{kAny, {2, 3}}, {kAny, {2, 3}}}, R"({"dim": 1})"});
  cases.push_back({"stack", {{kAny, {}}, {kAny, {}}, {kAny, {}}}});
  cases.push_back({"expand", {{kAny, {3, 1}}}, R"({"shape": [2, 3, 4]})"});
  cases.push_back({"expand", {{kAny, {}}}, R"({"shape": [3]})"});
  cases.push_back({"flip", {{kAny, {2, 3, 2}}}, R"({"dims": [0, 2]})"});
  cases.push_back({"pad", {{kAny, {2, 3}}}, R"({"pad": [1, 2], "value": 3})"});
  cases.push_back({"pad", {{kAny, {3, 4}}}, R"({"pad": [-1, 1, 2, -1]})"});
  cases.push_back({"permute", {{kAny, {2, 3, 4}}}, R"({"dims": [2, 0, 1]})"});
  cases.push_back({"reshape", {{kAny, {2, 6}}}, R"({"shape": [3, -1]})"});
  cases.push_back({"roll", {{kAny, {2, 5}}}, R"({"shift": [-2], "dim": [1]})"});
  cases.push_back({"roll", {{kAny, {2, 3}}}, R"({"shift": [4]})"});
  cases.push_back({"select", {{kAny, {2, 3, 2}}}, R"({"dim": 1, "index": -1})"});
  cases.push_back({"slice", {{kAny, {7, 2}}}, R"({"dim": 0, "start": 1, "end": 6, "step": 2})"});
  cases.push_back({"slice", {{kAny, {3, 4}}}, R"({"dim": -1, "start": -3})"});
  cases.push_back({"squeeze", {{kAny, {1, 3, 1}}}});
  cases.push_back({"squeeze", {{kAny, {1, 3, 1}}}, R"({"dim": [0]})"});
  cases.push_back({"transpose", {{kAny, {2, 3, 4}}}, R"({"dim0": 0, "dim1": -1})"});
  cases.push_back({"unsqueeze", {{kAny, {2, 3}}}, R"({"dim": 1})"});
}

void add_resize(std::vector<OpCase>& cases) {
  cases.push_back({"interpolate_bilinear", {{kAny, {2, 1, 4, 3}}}, R"({"size": [7, 5]})"});
  cases.push_back({"interpolate_bilinear", {{kAny, {1, 2, 5, 6}}}, R"({"size": [2, 3]})"});
  cases.push_back({"avg_pool2d", {{kAny, {2, 1, 4, 5}}}, R"({"kernel": 2})"});
  cases.push_back({"avg_pool2d", {{kAny, {1, 2, 5, 4}}}, R"({"kernel": [3, 2], "stride": 1, "padding": 1})"});
  cases.push_back({"interpolate_area", {{kAny, {1, 2, 5, 4}}}, R"({"size": [3, 7]})"});
  cases.push_back({"interpolate_nearest", {{kAny, {1, 2, 5, 4}}}, R"({"size": [3, 7]})"});
  cases.push_back({"pixel_shuffle", {{kAny, {1, 8, 2, 3}}}, R"({"upscale": 2})"});
  cases.push_back({"pixel_unshuffle", {{kAny, {2, 1, 4, 6}}}, R"({"downscale": 2})"});
  cases.push_back({"upsample_nearest", {{kAny, {2, 2, 2, 3}}}, R"({"scale": 3})"});
}

/// Indices repeat: their gradients must add up.
void add_index(std::vector<OpCase>& cases) {
  cases.push_back({"embedding", {{Values::index, {2, 4}, 3}, {kAny, {3, 2}}}});
  cases.push_back({"embedding", {{Values::index, {}, 5}, {kAny, {5, 1}}}});
  cases.push_back({"gather", {{kAny, {3, 4}}, {Values::index, {3, 6}, 4}}, R"({"dim": 1})"});
  cases.push_back({"gather", {{kAny, {3, 4}}, {Values::index, {5, 2}, 3}}, R"({"dim": 0})"});
  cases.push_back({"index_select", {{kAny, {3, 4}}, {Values::index, {6}, 3}}, R"({"dim": 0})"});
  cases.push_back({"index_select", {{kAny, {2, 3, 2}}, {Values::index, {5}, 3}}, R"({"dim": -2})"});
  cases.push_back({"scatter_add", {{kAny, {3, 4}}, {Values::index, {3, 6}, 4}, {kAny, {3, 6}}}, R"({"dim": 1})"});
  cases.push_back({"scatter_add", {{kAny, {2, 3}}, {Values::index, {4, 2}, 2}, {kAny, {5, 3}}}, R"({"dim": 0})"});
}

void add_images(std::vector<OpCase>& cases) {
  cases.push_back({"conv2d", {{kAny, {2, 3, 4, 3}}, {kAny, {2, 3, 3, 2}}, {kAny, {2}}}, R"({"padding": 1})"});
  cases.push_back({"conv2d",
                   {{kAny, {1, 4, 5, 4}}, {kAny, {2, 2, 2, 3}}},
                   R"({"stride": [2, 1], "padding": [0, 2], "dilation": [2, 1], "groups": 2})"});
  cases.push_back({"conv2d", {{kAny, {2, 3, 3, 3}}, {kAny, {3, 1, 3, 3}}}, R"({"padding": 1, "groups": 3})"});
  cases.push_back({"group_norm", {{kAny, {2, 4, 3}}, {kAny, {4}}, {kAny, {4}}}, R"({"num_groups": 2})"});
  cases.push_back(
      {"group_norm", {{kAny, {2, 3, 2, 2}}, {kAny, {3}}, {kAny, {3}}}, R"({"num_groups": 1, "silu": true})"});
}

}  // namespace

std::vector<OpCase> tensor_cases() {
  std::vector<OpCase> cases;
  add_products(cases);
  add_attention(cases);
  add_blocks(cases);
  add_layout(cases);
  add_index(cases);
  add_resize(cases);
  add_images(cases);
  return cases;
}

}  // namespace plumb
