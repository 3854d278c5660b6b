#pragma once

namespace plumb::emulator {

/// What the stand-in for cuDNN refuses from now on, as cuDNN does some problems: fused biases, or all convolutions and
/// attentions.
enum class Refusal { none, fused_bias, all };
void set_dnn_refusal(Refusal refusal);

/// Problems done so far.
int dnn_calls();

}  // namespace plumb::emulator
