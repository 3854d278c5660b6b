#include "engine/cuda/dnn/graph.h"

namespace plumb::dnn {

Four dense_strides(const Four& sizes) { return {sizes[1] * sizes[2] * sizes[3], sizes[2] * sizes[3], sizes[3], 1}; }

cudnnDataType_t data_type(DType dtype) {
  return dtype == DType::bf16 ? CUDNN_DATA_BFLOAT16 : dtype == DType::f16 ? CUDNN_DATA_HALF : CUDNN_DATA_FLOAT;
}

Graph::Node Graph::array(Role role, const ArraySpec& spec) { return tensor(int64_t(role), spec, Kind::memory); }
Graph::Node Graph::scratch_array(Role role, const ArraySpec& spec) {
  return tensor(int64_t(role), spec, Kind::reordered);
}
Graph::Node Graph::number(Role role) {
  return tensor(int64_t(role), {CUDNN_DATA_FLOAT, {1, 1, 1, 1}, {1, 1, 1, 1}}, Kind::by_value);
}
Graph::Node Graph::inner(const ArraySpec& spec) { return tensor(next_inner_++, spec, Kind::inner); }

Descriptor& Graph::op(cudnnBackendDescriptorType_t type) { return ops_.emplace_back(type); }
Descriptor& Graph::part(cudnnBackendDescriptorType_t type) { return parts_.emplace_back(type); }

Graph::Node Graph::tensor(int64_t id, const ArraySpec& spec, Kind kind) {
  const int64_t alignment = 16;
  const bool is_inner = kind == Kind::inner, by_value = kind == Kind::by_value;
  Descriptor& made = part(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  made.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, &id)
      .set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, &spec.type)
      .set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, spec.sizes.data(), 4)
      .set(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, spec.strides.data(), 4)
      .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, &alignment)
      .set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, &is_inner)
      .set(CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, &by_value);
  if (kind == Kind::reordered) {
    const cudnnBackendTensorReordering_t order = CUDNN_TENSOR_REORDERING_F16x16;
    made.set(CUDNN_ATTR_TENSOR_REORDERING_MODE, CUDNN_TYPE_TENSOR_REORDERING_MODE, &order);
  }
  return &made.finalize();
}

void Graph::pointwise(cudnnPointwiseMode_t mode, Node x, Node b, Node y) {
  const cudnnDataType_t f32 = CUDNN_DATA_FLOAT;
  const Descriptor& what = part(CUDNN_BACKEND_POINTWISE_DESCRIPTOR)
                               .set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, &mode)
                               .set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, &f32)
                               .finalize();
  Descriptor& made = op(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  made.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, what).set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, *x);
  if (b) made.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, *b);
  made.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, *y);
}

void Graph::matmul(Node a, Node b, Node c) {
  const cudnnDataType_t f32 = CUDNN_DATA_FLOAT;
  const Descriptor& what =
      part(CUDNN_BACKEND_MATMUL_DESCRIPTOR).set(CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, &f32).finalize();
  op(CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR)
      .set(CUDNN_ATTR_OPERATION_MATMUL_DESC, what)
      .set(CUDNN_ATTR_OPERATION_MATMUL_ADESC, *a)
      .set(CUDNN_ATTR_OPERATION_MATMUL_BDESC, *b)
      .set(CUDNN_ATTR_OPERATION_MATMUL_CDESC, *c);
}

void Graph::reshape(Node x, Node y) {
  op(CUDNN_BACKEND_OPERATION_RESHAPE_DESCRIPTOR)
      .set(CUDNN_ATTR_OPERATION_RESHAPE_XDESC, *x)
      .set(CUDNN_ATTR_OPERATION_RESHAPE_YDESC, *y);
}

void Graph::sum(Node x, Node y) {
  const cudnnDataType_t f32 = CUDNN_DATA_FLOAT;
  const cudnnReduceTensorOp_t add = CUDNN_REDUCE_TENSOR_ADD;
  const Descriptor& what = part(CUDNN_BACKEND_REDUCTION_DESCRIPTOR)
                               .set(CUDNN_ATTR_REDUCTION_OPERATOR, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE, &add)
                               .set(CUDNN_ATTR_REDUCTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, &f32)
                               .finalize();
  op(CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR)
      .set(CUDNN_ATTR_OPERATION_REDUCTION_DESC, what)
      .set(CUDNN_ATTR_OPERATION_REDUCTION_XDESC, *x)
      .set(CUDNN_ATTR_OPERATION_REDUCTION_YDESC, *y);
}

const Descriptor& Graph::finish(const Target& target) {
  std::vector<cudnnBackendDescriptor_t> ops;
  for (Descriptor& each : ops_) ops.push_back(each.finalize().raw());
  graph_ = Descriptor(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph_.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, ops.data(), int64_t(ops.size()));
  if (target.handle) graph_.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, &target.handle);
  return graph_.finalize();
}

}  // namespace plumb::dnn
