#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/ops/reduce.h"
#include "engine/error.h"
#include "nn/layers/conv2d.h"
#include "nn/layers/embedding.h"
#include "nn/layers/linear.h"
#include "nn/optim/adam.h"
#include "nn/state_file.h"
#include "nn/unet/unet2d_model.h"
#include "tests/support/numeric.h"
#include "tests/support/temp_dir.h"

using namespace plumb;
using plumb::test::bits_of;
using plumb::test::random_tensor;
using plumb::test::TempDir;

namespace {

UNet2DOptions tiny() {
  UNet2DOptions options;
  options.block_out_channels = {8, 16};
  options.down_block_types = {"DownBlock2D", "AttnDownBlock2D"};
  options.up_block_types = {"AttnUpBlock2D", "UpBlock2D"};
  options.layers_per_block = 1;
  options.norm_num_groups = 4;
  options.attention_head_dim = 4;
  return options;
}

}  // namespace

TEST_CASE("Init::shapes: names and shapes without memory, and an error when such a weight is used") {
  Linear linear(3, 5, Init::shapes());
  CHECK(linear.weight().shape() == Shape{5, 3});
  CHECK(linear.weight().numel() == 15);
  CHECK(linear.weight().dtype() == DType::f32);
  CHECK(linear.weight().device() == kCpu);
  CHECK_FALSE(linear.weight().has_memory());
  CHECK(count(parameters(linear)) == 20);
  const Variable x(random_tensor({2, 3}, 1, DType::f32));
  CHECK_THROWS_AS(linear.forward(x), Error);
  CHECK_THROWS_WITH_AS(linear.weight().value(),
                       "parameter: a weight must be loaded before it is used; f32[5, 3] without values", Error);
  CHECK_THROWS_AS(state_dict(linear), Error);
  CHECK_THROWS_AS(to_device(linear, Device{DeviceType::cuda, 0}), Error);
  CHECK_THROWS_AS(Adam({parameters(linear)}, {}), Error);
  CHECK_THROWS_AS(Conv2d(2, 3, {3, 3}, Init::shapes()).forward(Variable(random_tensor({1, 2, 4, 4}, 1, DType::f32))),
                  Error);
  CHECK_THROWS_AS(Embedding(4, 2, Init::shapes()).forward(zeros({1}, DType::i64)), Error);
}

TEST_CASE("Init::shapes: a network of two thousand million weights is made at once") {
  UNet2DOptions options = tiny();
  options.block_out_channels = {4096, 8192};
  UNet2DModel model(options, Init::shapes());
  CHECK(count(parameters(model)) > 2'000'000'000);
}

TEST_CASE("Init::shapes: a copy and another dtype stay without memory, loading gives it") {
  Linear linear(3, 5, Init::shapes());
  const std::unique_ptr<Linear> copy = clone(linear);
  CHECK_FALSE(copy->weight().has_memory());
  to_dtype(*copy, DType::bf16);
  CHECK(copy->weight().dtype() == DType::bf16);
  CHECK_FALSE(copy->weight().has_memory());
  Generator generator(3);
  Linear source(3, 5, generator);
  load_state_dict(linear, state_dict(source));
  CHECK(bits_of(linear.weight().value()) == bits_of(source.weight().value()));
  CHECK(linear.weight().value().storage() != source.weight().value().storage());
}

TEST_CASE("adopt_state_dict: parameters share memory with the tensors of the state") {
  Generator generator(4);
  UNet2DModel source(tiny(), generator), target(tiny(), Init::shapes());
  const TempDir dir;
  save_state(dir / "w.safetensors", state_dict(source));
  const StateDict state = load_state(dir / "w.safetensors");
  set_requires_grad(target, false);
  const LoadReport report = adopt_state_dict(target, state);
  CHECK((report.missing.empty() && report.extra.empty() && report.misshaped.empty()));
  const StateDict expected = state_dict(source);
  const ParameterList got = parameters(target);
  REQUIRE(got.size() == expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    CAPTURE(got[i].name);
    CHECK_FALSE(got[i].parameter->requires_grad());
    CHECK(bits_of(got[i].parameter->value()) == bits_of(expected[i].tensor));
    for (const NamedTensor& named : state)
      if (named.name == got[i].name) CHECK(got[i].parameter->value().raw_data() == named.tensor.raw_data());
  }
  const Variable x(random_tensor({1, 3, 8, 8}, 5, DType::f32));
  const Tensor t = full({1}, 7);
  CHECK(bits_of(target.forward(x, t).value()) == bits_of(source.forward(x, t).value()));
}

TEST_CASE("adopt_state_dict: other dtypes and layouts are converted") {
  Generator generator(5);
  Linear source(3, 5, generator);
  StateDict half = state_dict(source);
  for (NamedTensor& named : half) named.tensor = named.tensor.to(DType::f16);
  Linear widened(3, 5, Init::shapes());
  adopt_state_dict(widened, half);
  CHECK(widened.weight().dtype() == DType::f32);
  CHECK(bits_of(widened.weight().value()) == bits_of(half[0].tensor.to(DType::f32)));
  Linear kept(3, 5, Init::shapes());
  adopt_state_dict(kept, half, {.dtype = DType::f16});
  CHECK(kept.weight().dtype() == DType::f16);
  CHECK(kept.weight().value().raw_data() == half[0].tensor.raw_data());
  CHECK_FALSE(kept.weight().has_master());

  StateDict turned = state_dict(source);
  const Tensor wide = random_tensor({3, 5}, 6, DType::f32);
  turned[0].tensor = wide.view_as({5, 3}, {1, 5}, 0);
  Linear dense(3, 5, Init::shapes());
  adopt_state_dict(dense, turned);
  CHECK(dense.weight().value().is_contiguous());
  CHECK(bits_of(dense.weight().value()) == bits_of(turned[0].tensor.contiguous()));

  to_dtype(widened, DType::bf16);
  CHECK(widened.weight().has_master());
  adopt_state_dict(widened, state_dict(source));
  CHECK_FALSE(widened.weight().has_master());
  CHECK(widened.weight().dtype() == DType::bf16);
  CHECK_THROWS_AS(adopt_state_dict(widened, state_dict(source), {.dtype = DType::i64}), DTypeError);
}

TEST_CASE("adopt_state_dict: training goes on from what was taken over, and the file stays") {
  Generator generator(6);
  Linear source(3, 5, generator), target(3, 5, Init::shapes());
  const TempDir dir;
  save_state(dir / "w.safetensors", state_dict(source));
  adopt_state_dict(target, load_state(dir / "w.safetensors"));
  Adam adam({parameters(target)}, {});
  backward(sum(target.forward(Variable(random_tensor({2, 3}, 7, DType::f32)))));
  adam.step();
  CHECK(bits_of(target.weight().value()) != bits_of(source.weight().value()));
  CHECK(bits_of(load_state(dir / "w.safetensors")[1].tensor) == bits_of(source.weight().value()));
}

TEST_CASE("adopt_state_dict: every name that does not fit is listed and nothing is changed") {
  Linear linear(3, 5, Init::shapes());
  const StateDict wrong = {{"weight", zeros({5, 4})}, {"scale", zeros({1})}};
  CHECK_THROWS_WITH_AS(adopt_state_dict(linear, wrong),
                       "adopt_state_dict: names and shapes must match; 1 missing: bias; 1 extra: scale; 1 misshaped: "
                       "weight (expected [5, 3], got [5, 4])",
                       ValueError);
  CHECK_FALSE(linear.weight().has_memory());
  CHECK_THROWS_AS(adopt_state_dict(linear, {{"bias", zeros({5})}, {"bias", zeros({5})}}), ValueError);
  CHECK(compare_names(linear, wrong).extra == std::vector<std::string>{"scale"});
  adopt_state_dict(linear, {{"bias", zeros({5})}}, {.strict = false});
  CHECK(linear.bias().has_memory());
  CHECK_FALSE(linear.weight().has_memory());
}

TEST_CASE("require_match: a long list is whole") {
  LoadReport report;
  for (int i = 0; i < 45; ++i) report.missing.push_back(std::to_string(i));
  try {
    require_match("load", report);
    FAIL("must throw");
  } catch (const ValueError& error) {
    const std::string text = error.what();
    CHECK(text.find("45 missing: 0, 1") != text.npos);
    CHECK(text.ends_with("39, 40, 41, 42, 43, 44"));
  }
}
