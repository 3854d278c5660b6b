"""Cases of matmul, linear, linear_act and layer_norm. Each entry of OPS takes a Draw and returns a Case."""
import torch
import torch.nn.functional as F

from case import Case, largest


def product_case(op, attrs, inputs, reference, length, grad):
    terms = largest(inputs[0]) * largest(inputs[1])
    return Case(op, attrs, inputs, reference, grad=grad, length=length, out_scale=terms,
                grad_scale=max(largest(t) for t in inputs if t is not None))


def matmul(draw):
    m, k, n = draw.size(), draw.size(), draw.size()
    if not draw.small and draw.chance(0.15):
        m, k, n = draw.pick((64, 128, 128), (65, 130, 31), (200, 3, 257), (1, 300, 64), (129, 257, 2))
    if draw.chance(0.05):
        k = 0
    batch = [draw.pick(1, 2, 3) for _ in range(draw.pick(0, 0, 1, 1, 2))]
    kind = draw.pick("mm", "mm", "mm", "vm", "mv", "vv")
    a_shape = ([] if kind[0] == "v" else draw.broadcast(batch) + [m]) + [k]
    b_shape = [k] if kind[1] == "v" else (batch if kind[0] == "v" or draw.chance(0.6) else draw.broadcast(batch)) + [k, n]
    if kind == "mv":
        a_shape = batch + [m, k]
    dtype = draw.dtype()
    a, b = draw.normal(a_shape, dtype), draw.normal(b_shape, dtype)
    repeats = 1
    for size in batch:
        repeats *= size
    return product_case("matmul", {}, [a, b], torch.matmul, max(k, m * repeats, n * repeats), a.numel() > 0 and b.numel() > 0)


def linear(draw):
    lead = draw.shape(0, 3) if draw.small or draw.chance(0.8) else [draw.pick(64, 512)]
    inside, outside = (draw.size(), draw.size()) if draw.small or draw.chance(0.8) else draw.pick((128, 128), (66, 2), (320, 96))
    dtype = draw.dtype()
    x, w = draw.normal(lead + [inside], dtype), draw.normal([outside, inside], dtype)
    b = draw.normal([outside], dtype) if draw.chance(0.7) else None
    return product_case("linear", {}, [x, w, b], lambda x, w, b=None: F.linear(x, w, b),
                        max(inside + 1, outside, x.numel() // inside), x.numel() > 0)


def linear_act(draw):
    case = linear(draw)
    x, w, b = (t if t is None else t.to(torch.float32) if t.dtype != torch.float64 else t for t in case.inputs)  # 16 bits round in between
    w = w / max(1.0, w.shape[1] ** 0.5)  # sums of order 1, where activations bend
    activation = draw.pick("none", "relu", "silu", "silu", "gelu", "gelu_tanh")
    functions = {"none": lambda y: y, "relu": F.relu, "silu": F.silu, "gelu": F.gelu, "gelu_tanh": lambda y: F.gelu(y, approximate="tanh")}
    case = product_case("linear_act", {"activation": activation}, [x, w, b], lambda x, w, b=None: functions[activation](F.linear(x, w, b)),
                        case.length, case.grad)
    case.k = 16.0  # an error of the sum, times a slope of at most 1.13, and the activation's own
    return case


def layer_norm(draw):
    shape = draw.any_shape(low=1, high=4)
    count = draw.random.randint(1, len(shape))
    normalized = shape[-count:]
    if 0 in normalized:
        return layer_norm(draw)
    dtype = draw.dtype()
    x = (draw.normal(shape) * draw.pick(1.0, 1.0, 20.0) + draw.pick(0.0, 5.0)).to(dtype)
    affine = draw.pick("none", "weight", "both", "both")
    w = draw.normal(normalized, dtype) if affine != "none" else None
    b = draw.normal(normalized, dtype) if affine == "both" else None
    attrs = {"normalized_shape": normalized}
    if draw.chance(0.5):
        attrs["eps"] = draw.pick(1e-5, 1e-6, 1e-3)
    eps = attrs.get("eps", 1e-5)
    length = torch.Size(normalized).numel()
    rows = max(1, x.numel() // length)
    wide = x.to(torch.float64).reshape(rows if x.numel() else 0, length)
    # A row of nearly equal elements has a large 1/std, which multiplies the rounding of its mean.
    scale = float((1.0 / torch.sqrt(wide.var(1, unbiased=False) + eps)).max()) if wide.numel() else 1.0
    widest = 1.0 if w is None else max(1.0, largest(w))
    def reference(x, w=None, b=None):
        return F.layer_norm(x, normalized, w, b, eps)
    return Case("layer_norm", attrs, [x, w, b], reference, grad=x.numel() > 0, length=max(length, rows),
                out_scale=widest * max(1.0, scale * largest(x)), grad_scale=widest * max(1.0, scale, scale * largest(x)))


OPS = {"matmul": matmul, "linear": linear, "linear_act": linear_act, "layer_norm": layer_norm}
