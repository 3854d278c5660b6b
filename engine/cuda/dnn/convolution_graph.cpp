// A convolution is one op, followed by the addition of the bias in the same pass over y. The arrays are [N, H, W, C] in
// memory and [N, C, H, W] to cuDNN.

#include "engine/format.h"

#include "engine/cuda/dnn/problems.h"

namespace plumb::dnn {
namespace {

ArraySpec channels_inside(DType dtype, const Four& sizes) {
  const auto& [n, c, h, w] = sizes;
  return {data_type(dtype), sizes, {c * h * w, 1, w * c, c}};
}

const Descriptor& describe(Graph& graph, const Conv2dOptions& options) {
  const auto pair = [](const Size2d& size) { return std::array<int64_t, 2>{size.height, size.width}; };
  const auto padding = pair(options.padding), dilation = pair(options.dilation), stride = pair(options.stride);
  const int64_t dimensions = 2;
  const cudnnDataType_t f32 = CUDNN_DATA_FLOAT;
  const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
  return graph.part(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR)
      .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, &dimensions)
      .set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, &f32)
      .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, &mode)
      .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, padding.data(), 2)
      .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, padding.data(), 2)
      .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, dilation.data(), 2)
      .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, stride.data(), 2)
      .finalize();
}

}  // namespace

void build(Graph& graph, const DnnConvolution& problem) {
  const ConvGeometry& g = problem.geometry;
  const ArraySpec outputs = channels_inside(problem.dtype, {g.batch, g.out_channels, g.output.height, g.output.width});
  const Descriptor& how = describe(graph, g.options);
  const Graph::Node x =
      graph.array(Role::x, channels_inside(problem.dtype, {g.batch, g.in_channels, g.input.height, g.input.width}));
  const Graph::Node weight = graph.array(
      Role::weight, channels_inside(problem.dtype, {g.out_channels, g.group_in(), g.kernel.height, g.kernel.width}));
  const Graph::Node y = graph.array(Role::y, outputs);
  const float one = 1, zero = 0;
  switch (problem.pass) {
    case ConvolutionPass::forward: {
      const Graph::Node product =
          problem.has_bias ? graph.inner({CUDNN_DATA_FLOAT, outputs.sizes, outputs.strides}) : y;
      graph.op(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, *x)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, *weight)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, *product)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, how)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, &one)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, &zero);
      if (problem.has_bias)
        graph.pointwise(CUDNN_POINTWISE_ADD, product,
                        graph.array(Role::bias, channels_inside(problem.dtype, {1, g.out_channels, 1, 1})), y);
      break;
    }
    case ConvolutionPass::backward_x:
      graph.op(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, *x)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, *weight)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, *y)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, how)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, CUDNN_TYPE_FLOAT, &one)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, CUDNN_TYPE_FLOAT, &zero);
      break;
    case ConvolutionPass::backward_weight:
      graph.op(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, *weight)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, *x)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, *y)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, how)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, CUDNN_TYPE_FLOAT, &one)
          .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA, CUDNN_TYPE_FLOAT, &zero);
  }
}

std::string name_of(const DnnConvolution& problem) {
  constexpr const char* kPasses[] = {"forward", "backward_x", "backward_weight"};
  const ConvGeometry& g = problem.geometry;
  const Conv2dOptions& o = g.options;
  return fmt::format("conv2d_{}{}_{}_x{}x{}x{}x{}_k{}x{}x{}_s{}x{}_p{}x{}_d{}x{}_g{}", kPasses[int(problem.pass)],
                     problem.has_bias ? "_bias" : "", problem.dtype, g.batch, g.in_channels, g.input.height,
                     g.input.width, g.out_channels, g.kernel.height, g.kernel.width, o.stride.height, o.stride.width,
                     o.padding.height, o.padding.width, o.dilation.height, o.dilation.width, o.groups);
}

}  // namespace plumb::dnn
