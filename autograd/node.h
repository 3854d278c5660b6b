#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "engine/intrusive.h"
#include "engine/tensor.h"

namespace plumb {

/// Which inputs of an op need a gradient; known before anything is saved.
class Needs {
 public:
  explicit Needs(uint32_t mask = 0) : mask_(mask) {}
  bool operator[](int input) const { return input >= 32 ? mask_ != 0 : (mask_ >> input) & 1u; }
  bool any() const { return mask_ != 0; }

 private:
  uint32_t mask_;
};

/// Gradients of an op's inputs, in their order; undefined where none is needed.
class Grads {
 public:
  static constexpr int kInline = 4;
  template <class... Tensors>
  requires(std::same_as<Tensors, Tensor>&&...) explicit Grads(Tensors... tensors) : few_{std::move(tensors)...} {
    static_assert(sizeof...(tensors) <= kInline, "use the vector constructor for more gradients");
  }
  explicit Grads(std::vector<Tensor> tensors) : many_(std::move(tensors)), is_many_(true) {}

  Tensor& operator[](int input) { return is_many_ ? many_[size_t(input)] : few_[input]; }

 private:
  Tensor few_[kInline];
  std::vector<Tensor> many_;
  bool is_many_ = false;
};

class Node;

/// The tensors an op kept for its backward. Reading one checks that nobody wrote to it since.
class Saved {
 public:
  explicit Saved(const Node& node) : node_(node) {}
  /// Throws Error naming the op when the tensor was changed in place after it was saved.
  const Tensor& operator[](int index) const;

 private:
  const Node& node_;
};

/// One recorded op (or one leaf): what produced a Variable. Pooled; inputs, saved tensors and the backward closure are
/// stored inline so that recording allocates nothing but the record itself.
class Node : public RefCounted<Node> {
 public:
  static constexpr int kInlineInputs = 4;
  static constexpr int kMaxSaved = 5;
  static constexpr size_t kClosureBytes = 176;

  struct SavedTensor {
    Tensor tensor;
    uint32_t version = 0;
  };
  using RunBackward = Grads (*)(void* closure, const Saved& saved, const Tensor& grad, Needs needs);
  using DropClosure = void (*)(void* closure);

  /// A new node from the pool.
  static Ref<Node> make(const char* name);
  static void destroy(Node* node);

  bool is_leaf() const { return run == nullptr && !consumed; }
  std::span<Ref<Node>> inputs() { return {more_inputs ? more_inputs.get() : few_inputs, size_t(input_count)}; }
  std::span<const Ref<Node>> inputs() const {
    return {more_inputs ? more_inputs.get() : few_inputs, size_t(input_count)};
  }
  std::span<const SavedTensor> saved_tensors() const { return {saved, size_t(saved_count)}; }
  /// Frees inputs, saved tensors and closure; the node stays as a tombstone that backward refuses.
  void consume();

  const char* name;
  RunBackward run = nullptr;
  DropClosure drop = nullptr;
  Ref<Node> few_inputs[kInlineInputs];  // null for an input that needs no gradient
  std::unique_ptr<Ref<Node>[]> more_inputs;
  int32_t input_count = 0;
  int32_t saved_count = 0;
  SavedTensor saved[kMaxSaved];
  Shape shape;  // of the value
  DType dtype = DType::f32;
  bool consumed = false;

  // Leaf: the accumulated gradient, kept between sweeps. Otherwise: the gradient on its way during a sweep.
  Tensor grad;
  bool has_grad = false;  // leaf: `grad` holds something since the last zero_grad

  // Working state of one backward sweep.
  uint64_t sweep = 0;
  int32_t pending = 0;

  alignas(std::max_align_t) std::byte closure[kClosureBytes];

 private:
  explicit Node(const char* op) : name(op) {}
  ~Node() = default;
};

}  // namespace plumb
