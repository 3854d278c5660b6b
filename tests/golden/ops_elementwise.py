"""Cases of elementwise ops. Each entry of OPS takes a Draw and returns a Case."""
import torch
import torch.nn.functional as F

from case import Case
from draw import BF16, F16, F32, F64


def limit(dtype, huge):
    """A magnitude that the dtype can hold."""
    return min(huge, 3e4) if dtype == F16 else huge


def unary(op, fn, values, extremes=(), exact=False, floor=0.0, grad_floor=0.0, k=8.0):
    """values(draw, shape, dtype) -> input; floor, grad_floor: absolute error scales where the function or its derivative cancels."""
    def make(draw):
        dtype = draw.dtype()
        x = values(draw, draw.any_shape(), dtype)
        if extremes:
            x = draw.plant(x, [max(-limit(dtype, 1e9), min(limit(dtype, 1e9), e)) for e in extremes])
        return Case(op, {}, [x], fn, grad=x.numel() > 0, k=0.0 if exact else k, out_scale=floor, grad_scale=grad_floor)
    return make


def normal(scale=1.0):
    return lambda draw, shape, dtype: draw.normal(shape, dtype, scale)


def uniform(low, high):
    return lambda draw, shape, dtype: draw.uniform(shape, low, high, dtype)


def nonzero(draw, shape, dtype):
    x = draw.uniform(shape, 0.3, 4.0, F64)
    return (x * torch.where(draw.uniform(shape, -1, 1) < 0, -1.0, 1.0)).to(dtype)


def off_ties(draw, shape, dtype):
    """Away from the integers and halves at which floor, ceil and round jump, except where planted on purpose."""
    return (draw.integers(shape, -5, 6).to(F64) + draw.uniform(shape, 0.55, 0.95)).to(dtype)


class Softplus(torch.autograd.Function):
    """The function itself: torch's switches to the identity above 20, which is off by 2e-9."""

    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return torch.clamp(x, min=0) + torch.log1p(torch.exp(-x.abs()))

    @staticmethod
    def backward(context, grad):
        return grad * torch.sigmoid(context.saved_tensors[0])


def gelu(draw):
    approximate = draw.pick("none", "tanh")
    dtype = draw.dtype()
    x = draw.plant(draw.normal(draw.any_shape(), dtype, 2.0), [-30.0, 30.0, 0.0, -6.0])
    # x (1 + erf) / 2 cancels on the negative side: the error is that of 1, times x (a few units). So does 1 - tanh^2 in the gradient of
    # the other form, times up to 15 at the planted -6.
    return Case("gelu", {"approximate": approximate}, [x], lambda x: F.gelu(x, approximate=approximate),
                grad=x.numel() > 0, out_scale=4.0, grad_scale=16.0)


def binary(op, fn, left=normal(), right=normal(), grad=True, exact=False, ties=False, k=8.0):
    def make(draw):
        dtype = draw.dtype()
        shape = draw.any_shape()
        shapes = [shape, draw.broadcast(shape) if draw.chance(0.6) else shape]
        if draw.chance(0.5):
            shapes.reverse()
        a, b = left(draw, shapes[0], dtype), right(draw, shapes[1], dtype)
        if ties and a.shape == b.shape and a.numel():
            flat = b.reshape(-1).clone()
            flat[::2] = a.reshape(-1)[::2]
            b = flat.reshape(b.shape)
        return Case(op, {}, [a, b], fn, grad=grad and a.numel() > 0 and b.numel() > 0, broadcast=grad,
                    k=0.0 if exact else k, out_scale=0.0)
    return make


def compare(op, fn):
    def make(draw):
        shape = draw.any_shape()
        other = draw.broadcast(shape)
        if draw.chance(0.3):
            dtype = draw.pick(torch.int64, torch.int32)
            a, b = draw.integers(shape, -3, 4, dtype), draw.integers(other, -3, 4, dtype)
        else:
            dtype = draw.dtype()
            # Few distinct values, so that equality happens.
            a, b = draw.integers(shape, -2, 3).to(dtype), draw.integers(other, -2, 3).to(dtype)
            a = draw.plant(a, [float("nan"), float("inf"), -float("inf")], 0.3)
        return Case(op, {}, [a, b], fn)
    return make


def logical(op, fn, count):
    def make(draw):
        shape = draw.any_shape()
        inputs = [draw.integers(shape, 0, 2).bool()]
        if count == 2:
            inputs.append(draw.integers(draw.broadcast(shape), 0, 2).bool())
        return Case(op, {}, inputs, fn)
    return make


def integer_or(op, fn, floating):
    """One case in eight on integers."""
    def make(draw):
        if not draw.chance(0.125):
            return floating(draw)
        dtype = draw.pick(torch.int64, torch.int32)
        shape = draw.shape()
        return Case(op, {}, [draw.integers(shape, -9, 10, dtype), draw.integers(draw.broadcast(shape), -9, 10, dtype)], fn)
    return make


def where(draw):
    dtype = draw.dtype()
    shape = draw.any_shape()
    condition = draw.integers(draw.broadcast(shape), 0, 2).bool()
    a, b = draw.normal(shape, dtype), draw.normal(draw.broadcast(shape), dtype)
    return Case("where", {}, [condition, a, b], torch.where, grad=a.numel() > 0 and b.numel() > 0, broadcast=True,
                k=8.0, out_scale=0.0)


def clamp(draw):
    x = draw.normal(draw.any_shape(), draw.dtype(), 2.0)
    # On a bound torch 1.13 passes the gradient and torch 2.15 does not, so only values are compared there. The other bounds have no exact
    # 16-bit form, which a random 16-bit number would meet now and then.
    on_bounds = draw.chance(0.3)
    if on_bounds:
        x = draw.plant(x, [-1.0, 1.0, float("nan")])
        attrs = {"min": -1.0, "max": 1.0}
    else:
        attrs = draw.pick({"min": -1.1, "max": 1.3}, {"min": -1.1}, {"max": 1.3}, {"min": -0.3, "max": 0.7})
    return Case("clamp", attrs, [x], lambda x: torch.clamp(x, **attrs), grad=x.numel() > 0 and not on_bounds, k=0.0, out_scale=0.0)


def pow_exponent(draw):
    dtype = draw.dtype()
    exponent = draw.pick(2, 3, -1, 0.5, 2.5, -0.5, 0, 1)
    whole = float(exponent).is_integer()
    x = nonzero(draw, draw.any_shape(), dtype) if whole else draw.uniform(draw.any_shape(), 0.2, 4.0, dtype)
    return Case("pow", {"exponent": exponent}, [x], lambda x: torch.pow(x, exponent), grad=x.numel() > 0, k=16.0, out_scale=0.0)


def pow_op(draw):
    return pow_exponent(draw) if draw.chance(0.5) else pow_tensor(draw)


pow_tensor = binary("pow", torch.pow, uniform(0.2, 4.0), normal(1.5), k=16.0)

TORCH_OF = {"f32": F32, "f64": F64, "bf16": BF16, "f16": F16, "i64": torch.int64, "i32": torch.int32, "u8": torch.uint8,
            "bool": torch.bool}


def cast(draw):
    source, target = draw.pick(*TORCH_OF), draw.pick(*TORCH_OF)
    shape = draw.any_shape()
    # Every target holds 0..100; halves make truncation towards zero visible.
    x = (draw.integers(shape, 0, 200).to(F64) / 2).to(TORCH_OF[source])
    to = TORCH_OF[target]
    floats = (F32, F64, BF16, F16)
    # The reference sees a widened input; the values are exact in every source dtype, so one rounding is left.
    return Case("cast", {"dtype": target}, [x], lambda x: x.to(to), k=0.0, out_scale=0.0,
                grad=TORCH_OF[source] in floats and to in floats and x.numel() > 0, out_dtype=to if to in floats else None)


OPS = {
    "abs": unary("abs", torch.abs, normal(), (0.0,), exact=True),
    "neg": unary("neg", torch.neg, normal(), exact=True),
    "exp": unary("exp", torch.exp, normal(2.0), (-200.0, 9.0)),
    "expm1": unary("expm1", torch.expm1, normal(), (1e-3, -1e-4, -50.0, 0.0)),
    "log": unary("log", torch.log, uniform(0.01, 9.0), (1.0, 1e4)),
    "log1p": unary("log1p", torch.log1p, uniform(-0.9, 9.0), (1e-3, -1e-4, 0.0)),
    "sqrt": unary("sqrt", torch.sqrt, uniform(0.01, 9.0)),
    "rsqrt": unary("rsqrt", torch.rsqrt, uniform(0.01, 9.0)),
    "reciprocal": unary("reciprocal", torch.reciprocal, nonzero),
    "square": unary("square", torch.square, normal(2.0)),
    "sin": unary("sin", torch.sin, normal(3.0), floor=1.0),
    "cos": unary("cos", torch.cos, normal(3.0), floor=1.0),
    "tanh": unary("tanh", torch.tanh, normal(2.0), (0.0, 1e-3, 1e6, -1e6), grad_floor=1.0),  # 1 - y^2
    "sigmoid": unary("sigmoid", torch.sigmoid, normal(3.0), (1e6, -1e6, 0.0), grad_floor=1.0),  # y (1 - y)
    "logsigmoid": unary("logsigmoid", F.logsigmoid, normal(3.0), (1e6, -1e6, 0.0, 15.0)),
    "softplus": unary("softplus", Softplus.apply, normal(3.0), (1e6, -1e6, 0.0, -15.0)),
    "relu": unary("relu", torch.relu, normal(), (0.0,), exact=True),
    "silu": unary("silu", F.silu, normal(3.0), (1e6, -1e6, 0.0), grad_floor=4.0),  # 1 + x (1 - y), times y
    "quick_gelu": unary("quick_gelu", lambda x: x * torch.sigmoid(1.702 * x), normal(3.0), (1e6, -1e6, 0.0), grad_floor=4.0),
    "mish": unary("mish", lambda x: x * torch.tanh(Softplus.apply(x)), normal(3.0), (1e6, -1e6, 0.0), grad_floor=8.0),  # as silu, twice
    "gelu": gelu,
    "erf": unary("erf", torch.erf, normal(), (0.0, 1e-3, 1e6, -1e6)),
    "sign": unary("sign", torch.sign, normal(), (0.0,), exact=True),
    "floor": unary("floor", torch.floor, off_ties, (2.0, -3.0), exact=True),
    "ceil": unary("ceil", torch.ceil, off_ties, (2.0, -3.0), exact=True),
    "round": unary("round", torch.round, off_ties, (0.5, 1.5, 2.5, -0.5, -1.5), exact=True),
    "add": integer_or("add", torch.add, binary("add", torch.add)),
    "sub": integer_or("sub", torch.sub, binary("sub", torch.sub)),
    "mul": integer_or("mul", torch.mul, binary("mul", torch.mul)),
    "div": binary("div", torch.div, right=nonzero),
    "pow": pow_op,
    "maximum": binary("maximum", torch.maximum, ties=True),
    "minimum": binary("minimum", torch.minimum, ties=True),
    "eq": compare("eq", torch.eq), "ne": compare("ne", torch.ne),
    "lt": compare("lt", torch.lt), "le": compare("le", torch.le),
    "gt": compare("gt", torch.gt), "ge": compare("ge", torch.ge),
    "logical_and": logical("logical_and", torch.logical_and, 2),
    "logical_or": logical("logical_or", torch.logical_or, 2),
    "logical_not": logical("logical_not", torch.logical_not, 1),
    "where": where, "clamp": clamp, "cast": cast,
}
