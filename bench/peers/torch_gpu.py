"""The PyTorch peer of bench/gpu: the same work under the same names, on one GPU.

    python torch_gpu.py [--seconds 0.3] NAME ...     prints one JSON line a benchmark
    python torch_gpu.py --serve                      reads names from standard input, answers each with a line

A line is {"name", "torch", "device", "variants": {"eager": {"median_s", "p95_over_p50", "samples"}, "compile": ..., "graph": ...}}. Single ops have
eager and compile; steps also graph, the whole step captured as a CUDA graph. Times are the device's, by events around several calls. tf32 is off,
cuDNN's own search for the fastest algorithm on, pictures are channels-last.
"""
import argparse
import json
import statistics
import sys
import warnings

import torch
from torch.nn import functional as F

import torch_gpu_steps

DTYPES = {"bf16": torch.bfloat16, "f32": torch.float32}
PICTURES, GROUPS, SETS = 32, 32, 4


def picture_sets(text, dtype, count=1):
    """"320x64" -> `count` lists of SETS pictures."""
    channels, side = map(int, text.split("x"))
    shape = (PICTURES, channels, side, side)
    make = lambda: torch.randn(shape, device="cuda", dtype=dtype).contiguous(memory_format=torch.channels_last)  # noqa: E731
    return [[make() for _ in range(SETS)] for _ in range(count)]


def tokens(x):
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


def unary(function):
    def make(text, dtype):
        (x,) = picture_sets(text, dtype)
        return lambda i, f: f(x[i % SETS]), function
    return make


def binary(function):
    def make(text, dtype):
        x, y = picture_sets(text, dtype, 2)
        return lambda i, f: f(x[i % SETS], y[i % SETS]), function
    return make


def affine(function):
    def make(text, dtype):
        (x,) = picture_sets(text, dtype)
        weight, bias = (torch.randn(x[0].shape[1], device="cuda", dtype=dtype) for _ in range(2))
        return lambda i, f: f(x[i % SETS], weight, bias), function
    return make


def backward_of(function, flat=False):
    """The gradient to x, weight and bias alone: the forward ran before."""
    def make(text, dtype):
        x, grad = picture_sets(text, dtype, 2)
        if flat:
            x, grad = [tokens(each) for each in x], [tokens(each) for each in grad]
        weight, bias = (torch.randn(x[0].shape[1], device="cuda", dtype=dtype).requires_grad_() for _ in range(2))
        leaves = [each.detach().requires_grad_() for each in x]
        outputs = [function(leaf, weight, bias) for leaf in leaves]
        return lambda i, f: torch.autograd.grad(outputs[i % SETS], (leaves[i % SETS], weight, bias), grad[i % SETS], retain_graph=True), None
    return make


def geglu(x):
    a, b = tokens(x).chunk(2, -1)
    return a * F.gelu(b)


def group_norm_silu(x, weight, bias):
    return F.silu(F.group_norm(x, GROUPS, weight, bias))


def layer_norm(x, weight, bias):
    return F.layer_norm(x, (x.shape[-1],), weight, bias)


def silu_backward(text, dtype):
    x, grad = picture_sets(text, dtype, 2)
    return lambda i, f: f(grad[i % SETS], x[i % SETS]), torch.ops.aten.silu_backward


def randn(text, dtype):
    (x,) = picture_sets(text, dtype)
    return lambda i, f: f(x[0].shape, device="cuda", dtype=dtype), torch.randn


def adamw(text, dtype):
    """f32 weights and state; for bf16 the values are written as well, a copy after the step."""
    channels, side = map(int, text.split("x"))
    weight = torch.randn(PICTURES * channels * side * side, device="cuda").requires_grad_()
    weight.grad = torch.randn_like(weight)
    values = torch.empty_like(weight, dtype=dtype, requires_grad=False)
    optimiser = torch.optim.AdamW([weight], lr=1e-4, fused=True, capturable=True)

    def call(i, f):
        optimiser.step()
        if dtype != torch.float32:
            values.copy_(weight.detach())
    return call, None


OPS = {
    "copy": unary(lambda x: torch.empty_like(x).copy_(x)), "add": binary(torch.add), "silu": unary(F.silu), "silu_backward": silu_backward,
    "group_norm_silu": affine(group_norm_silu), "group_norm_silu_backward": backward_of(group_norm_silu),
    "layer_norm": affine(lambda x, weight, bias: layer_norm(tokens(x), weight, bias)), "layer_norm_backward": backward_of(layer_norm, flat=True),
    "softmax": unary(lambda x: F.softmax(tokens(x), 1)), "geglu": unary(geglu), "sum": unary(torch.sum), "sum_channels": unary(lambda x: tokens(x).sum(0)),
    "sample_error": binary(lambda x, y: (x.float() - y.float()).square().mean([1, 2, 3])), "randn": randn, "adamw": adamw,
}


def sizes_of(parts):
    return {key: int(value) for key, value in (part.split(":") for part in parts)}


def linear(sizes, dtype):
    x, weight, bias = (torch.randn(shape, device="cuda", dtype=dtype)
                       for shape in ((sizes["m"], sizes["k"]), (sizes["n"], sizes["k"]), (sizes["n"],)))
    return lambda i, f: f(x, weight, bias), F.linear


def convolution(kind, s, dtype):
    out_side, padding, one = s["side"] // s["stride"], s["kernel"] // 2, [1, 1]
    x, grad, weight = (torch.randn(shape, device="cuda", dtype=dtype).contiguous(memory_format=torch.channels_last) for shape in (
        (s["n"], s["in"], s["side"], s["side"]), (s["n"], s["out"], out_side, out_side), (s["out"], s["in"], s["kernel"], s["kernel"])))
    if kind == "conv2d":
        bias = torch.randn(s["out"], device="cuda", dtype=dtype)
        return lambda i, f: f(x, weight, bias, s["stride"], padding), F.conv2d
    wanted = [kind == "conv2d_x", kind == "conv2d_weight", False]
    stride, pad = [s["stride"]] * 2, [padding] * 2
    return lambda i, f: torch.ops.aten.convolution_backward(grad, x, weight, None, stride, pad, one, False, [0, 0], 1, wanted), None


def attention(kind, s, dtype):
    shapes = [(s["n"], s["heads"], s[length], s["width"]) for length in ("queries", "keys", "keys", "queries")]
    q, k, v, grad = (torch.randn(shape, device="cuda", dtype=dtype) for shape in shapes)
    if kind == "attention":
        return lambda i, f: f(q, k, v), F.scaled_dot_product_attention
    q, k, v = (each.requires_grad_() for each in (q, k, v))
    out = F.scaled_dot_product_attention(q, k, v)
    return lambda i, f: torch.autograd.grad(out, (q, k, v), grad, retain_graph=True), None


def measure(call, calls, seconds):
    for i in range(3):
        call(i)
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    times, total = [], 0.0
    while total < seconds * 1e3 or len(times) < 9:
        begin.record()
        for i in range(calls):
            call(i)
        end.record()
        end.synchronize()
        total += begin.elapsed_time(end)
        times.append(begin.elapsed_time(end) * 1e-3 / calls)
    times.sort()
    return {"median_s": statistics.median(times), "p95_over_p50": times[int(0.95 * (len(times) - 1))] / statistics.median(times), "samples": len(times)}


def variants_of(name):
    """variant -> a function call(i)."""
    kind, dtype, *parts = name.split("/")
    kind = kind.removesuffix("_eager")  # ours without a graph
    if kind in torch_gpu_steps.STEPS:
        return torch_gpu_steps.variants(kind, DTYPES[dtype], int(parts[0]))
    if kind in OPS:
        call, function = OPS[kind](parts[0], DTYPES[dtype])
    elif kind == "linear":
        call, function = linear(sizes_of(parts), DTYPES[dtype])
    elif kind.startswith("conv2d"):
        call, function = convolution(kind, sizes_of(parts), DTYPES[dtype])
    elif kind.startswith("attention"):
        call, function = attention(kind, sizes_of(parts), DTYPES[dtype])
    else:
        raise KeyError(name)
    variants = {"eager": lambda i: call(i, function)}
    if function is not None:
        compiled = torch.compile(function, mode="max-autotune-no-cudagraphs", dynamic=False)
        variants["compile"] = lambda i: call(i, compiled)
    return variants


ready = {}  # of the last name: what was compiled serves all its rounds


def answer(name, seconds, only):
    if name not in ready:
        ready.clear()
        torch.cuda.empty_cache()
        ready[name] = variants_of(name)
    reply = {"name": name, "torch": torch.__version__, "device": torch.cuda.get_device_name(), "variants": {}}
    for variant, call in ready[name].items():
        if only and variant not in only:
            continue
        try:
            reply["variants"][variant] = measure(call, 10, seconds)
        except Exception as error:  # a compiler or kernel that this build lacks
            print(f"# {name} {variant}: {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)
    return reply


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seconds", type=float, default=0.3)
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--variants", help="only these, comma separated")
    arguments = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    warnings.simplefilter("ignore")
    only = arguments.variants.split(",") if arguments.variants else None
    for name in map(str.strip, sys.stdin) if arguments.serve else arguments.names:
        if not name:
            continue
        try:
            reply = answer(name, arguments.seconds, only)
        except KeyError:
            reply = {"name": name, "error": "unknown benchmark"}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
