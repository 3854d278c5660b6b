#include "nn/state_dict.h"

#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/ops/reduce.h"
#include "engine/error.h"
#include "tests/support/numeric.h"

using namespace plumb;
using plumb::test::bits_of;
using plumb::test::random_tensor;

namespace {

class Leafy final : public Layer<Leafy> {
 public:
  explicit Leafy(uint64_t seed)
      : weight_(random_tensor({2, 3}, seed, DType::f32)), bias_(random_tensor({3}, seed + 1, DType::f32)) {}
  explicit Leafy(const Leafy&) = default;
  void visit(ModuleVisitor& visitor) override {
    visitor("weight", weight_);
    visitor("bias", bias_);
    visitor("absent", absent_);
  }
  Parameter weight_, bias_, absent_;
};

class Tree final : public Layer<Tree> {
 public:
  Tree() : first_(1) {
    blocks_.push_back(std::make_unique<Leafy>(2));
    blocks_.push_back(std::make_unique<Leafy>(3));
  }
  explicit Tree(const Tree&) = default;
  void visit(ModuleVisitor& visitor) override {
    visitor("first", first_);
    visitor("blocks", blocks_);
  }
  Leafy first_;
  ModuleList<Leafy> blocks_;
};

StateDict copy_of(Module& module) {
  StateDict state = state_dict(module);
  for (NamedTensor& named : state) named.tensor = named.tensor.clone();
  return state;
}

}  // namespace

TEST_CASE("module: parameters carry dotted names in the order of visit, absent ones left out") {
  Tree tree;
  std::string names;
  for (const NamedParameter& named : parameters(tree)) names += named.name + " ";
  CHECK(names == "first.weight first.bias blocks.0.weight blocks.0.bias blocks.1.weight blocks.1.bias ");
  CHECK(count(parameters(tree)) == 27);
}

TEST_CASE("module: a clone has the same bits, its own memory, its own frozen flags and no gradient") {
  Tree tree;
  tree.first_.bias_.set_requires_grad(false);
  backward(sum(tree.first_.weight_.variable()));
  const auto copy = clone(tree);
  const StateDict a = state_dict(tree), b = state_dict(*copy);
  REQUIRE(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].name == b[i].name);
    CHECK(bits_of(a[i].tensor) == bits_of(b[i].tensor));
    CHECK(!(a[i].tensor.storage() == b[i].tensor.storage()));
  }
  CHECK(!copy->first_.bias_.requires_grad());
  CHECK(tree.first_.weight_.grad().defined());
  CHECK(!copy->first_.weight_.grad().defined());
  backward(sum(copy->first_.weight_.variable()));
  CHECK(tree.first_.weight_.grad().to_vector<float>() == std::vector<float>(6, 1));
}

TEST_CASE("module: freezing makes constants, and keeps the gradient's address for later") {
  Leafy leafy(1);
  backward(sum(leafy.weight_.variable()));
  const void* address = leafy.weight_.grad().raw_data();
  set_requires_grad(leafy, false);
  CHECK(!leafy.weight_.variable().requires_grad());
  CHECK(trainable(parameters(leafy)).empty());
  CHECK(!leafy.weight_.grad().defined());
  set_requires_grad(leafy, true);
  backward(sum(leafy.weight_.variable()));
  CHECK(leafy.weight_.grad().raw_data() == address);
  CHECK(leafy.weight_.grad().to_vector<float>() == std::vector<float>(6, 1));
}

TEST_CASE("module: 16-bit values keep an f32 master that the state dict shows") {
  Leafy leafy(1);
  const std::string exact = bits_of(leafy.weight_.value());
  to_dtype(leafy, DType::bf16);
  CHECK(leafy.weight_.value().dtype() == DType::bf16);
  CHECK(bits_of(state_dict(leafy)[0].tensor) == exact);
  to_dtype(leafy, DType::f32);
  CHECK(bits_of(leafy.weight_.value()) == exact);
  CHECK(!leafy.weight_.has_master());
  to_dtype(leafy, DType::bf16, false);
  CHECK(!leafy.weight_.has_master());
  CHECK(state_dict(leafy)[0].tensor.dtype() == DType::bf16);
}

TEST_CASE("state dict: loads what it saved, through masters and values alike") {
  Tree from, to;
  for (NamedTensor& named : state_dict(from)) named.tensor.mul_(3);
  to_dtype(to, DType::bf16);
  load_state_dict(to, copy_of(from));
  const StateDict a = state_dict(from), b = state_dict(to);
  for (size_t i = 0; i < a.size(); ++i) CHECK(bits_of(a[i].tensor) == bits_of(b[i].tensor));
  CHECK(bits_of(to.first_.weight_.value()) == bits_of(from.first_.weight_.value().to(DType::bf16)));
}

TEST_CASE("state dict: a strict load lists everything that does not fit and writes nothing") {
  Tree tree;
  StateDict state = copy_of(tree);
  for (NamedTensor& named : state) named.tensor.fill_(7);
  state[0].name = "first.wait";
  state[1].tensor = zeros({4});
  const StateDict before = copy_of(tree);
  CHECK_THROWS_WITH_AS(load_state_dict(tree, state),
                       "load_state_dict: names and shapes must match; 1 missing: first.weight; 1 extra: first.wait; "
                       "1 misshaped: first.bias (expected [3], got [4])",
                       ValueError);
  const StateDict after = state_dict(tree);
  for (size_t i = 0; i < before.size(); ++i) CHECK(bits_of(before[i].tensor) == bits_of(after[i].tensor));

  state[1].tensor = full({3}, 7);
  const LoadReport report = load_state_dict(tree, state, {.strict = false});
  CHECK(report.missing == std::vector<std::string>{"first.weight"});
  CHECK(report.extra == std::vector<std::string>{"first.wait"});
  CHECK(tree.first_.bias_.value().to_vector<float>() == std::vector<float>(3, 7));
  CHECK(bits_of(tree.first_.weight_.value()) == bits_of(before[0].tensor));

  state.push_back(state.back());
  CHECK_THROWS_WITH_AS(load_state_dict(tree, state), "load_state_dict: a name is given twice (blocks.1.bias)",
                       ValueError);
}
