"""Single ops of torch_peer.py by number of elements, with the shapes of our benchmarks. Results are written to existing tensors where PyTorch has such a
form: fresh memory costs it several times the op."""
import torch

aten = torch.ops.aten
CHANNELS, SIDE, GROUPS, WIDTH = 320, 32, 32, 128


def values(*shape):
    return torch.rand(shape) * 8 - 4


def rows(elements):
    return values(elements // WIDTH, WIDTH)


def pictures(elements, nhwc):
    x = values(elements // (CHANNELS * SIDE * SIDE), CHANNELS, SIDE, SIDE)
    return x.contiguous(memory_format=torch.channels_last) if nhwc else x


def unary(op, make=values):
    def prepare(elements):
        x = make(elements)
        out = torch.empty_like(x)
        return lambda: op(x, out)
    return prepare


def binary(op, make=values):
    def prepare(elements):
        x, y = make(elements), make(elements)
        out = torch.empty_like(x)
        return lambda: op(x, y, out)
    return prepare


def layer_norm(elements):
    x, weight, bias = rows(elements), torch.ones(WIDTH), torch.zeros(WIDTH)
    return lambda: torch.nn.functional.layer_norm(x, (WIDTH,), weight, bias)


def group_norm(silu, nhwc):
    def prepare(elements):
        x, weight, bias = pictures(elements, nhwc), values(CHANNELS), values(CHANNELS)
        def plain():
            return torch.nn.functional.group_norm(x, GROUPS, weight, bias)
        return (lambda: torch.nn.functional.silu(plain(), inplace=True)) if silu else plain
    return prepare


def group_norm_backward(silu, nhwc):
    def prepare(elements):
        x, grad, weight = pictures(elements, nhwc), pictures(elements, nhwc), values(CHANNELS)
        batch, pixels = x.shape[0], SIDE * SIDE
        y, mean, rstd = aten.native_group_norm(x, weight, values(CHANNELS), batch, CHANNELS, pixels, GROUPS, 1e-5)

        def plain(up):
            return aten.native_group_norm_backward(up, x, mean, rstd, weight, batch, CHANNELS, pixels, GROUPS, [True, True, True])
        return (lambda: plain(aten.silu_backward(grad, y))) if silu else (lambda: plain(grad))
    return prepare


def adamw(elements):
    weight = torch.full((elements,), 0.5, requires_grad=True)
    weight.grad = torch.full((elements,), 1e-3)
    try:
        optimiser = torch.optim.AdamW([weight], lr=1e-3, fused=True)
        optimiser.step()
    except (TypeError, RuntimeError):
        optimiser = torch.optim.AdamW([weight], lr=1e-3)
    return optimiser.step


def nchw_to_nhwc(elements):
    x = pictures(elements, False)
    out = torch.empty_like(x, memory_format=torch.channels_last)
    return lambda: out.copy_(x)


OPS = {
    "add": binary(lambda x, y, out: torch.add(x, y, out=out)),
    "copy": unary(lambda x, out: out.copy_(x)),
    "sum": lambda elements: values(elements).sum,
    "silu": unary(lambda x, out: aten.silu.out(x, out=out)),
    "silu_backward": binary(lambda x, y, out: aten.silu_backward.grad_input(x, y, grad_input=out)),
    "tanh": unary(lambda x, out: torch.tanh(x, out=out)),
    "gelu": unary(lambda x, out: aten.gelu.out(x, out=out)),
    "softmax": unary(lambda x, out: aten._softmax.out(x, 1, False, out=out), rows),
    "log_softmax": unary(lambda x, out: aten._log_softmax.out(x, 1, False, out=out), rows),
    "layer_norm": layer_norm,
    "group_norm": group_norm(False, False),
    "group_norm_nhwc": group_norm(False, True),
    "group_norm_silu": group_norm(True, False),
    "group_norm_silu_nhwc": group_norm(True, True),
    "group_norm_silu_backward": group_norm_backward(True, False),
    "group_norm_silu_backward_nhwc": group_norm_backward(True, True),
    "randn": lambda elements: torch.empty(elements).normal_,
    "mse": lambda elements: (lambda x, y: lambda: torch.nn.functional.mse_loss(x, y))(rows(elements), rows(elements)),
    "adamw": adamw,
    "nchw_to_nhwc": nchw_to_nhwc,
}
