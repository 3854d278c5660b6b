"""Cases of reductions, scans, softmax and losses. Each entry of OPS takes a Draw and returns a Case."""
import torch
import torch.nn.functional as F

from case import Case, largest
from draw import F16


def extent(x, dim):
    """How many elements each result of a reduction over dim (None: all) is made of."""
    if dim is None:
        return max(1, x.numel())
    total = 1
    for d in dim if isinstance(dim, list) else [dim]:
        total *= x.shape[d] if x.dim() else 1
    return max(1, total)


def reduce_attrs(draw, rank, lists=True):
    """dim absent, one integer or a list; keepdim absent, true or false."""
    attrs = {}
    if draw.chance(0.75):
        attrs["dim"] = draw.dims(rank) if lists and draw.chance(0.7) else draw.dim(rank)
        if draw.chance(0.6):
            attrs["keepdim"] = draw.chance(0.7)
    return attrs


def call(fn, x, attrs, **more):
    """dim is passed only when present: torch.sum() and torch.sum(dim=None) differ in old versions."""
    return fn(x, **attrs, **more)


def total(op, fn):
    def make(draw):
        x = draw.normal(draw.any_shape(), draw.dtype())
        if draw.chance(0.1):
            x = draw.integers(draw.shape(), -9, 10) if op == "sum" else x
        attrs = reduce_attrs(draw, x.dim())
        floating = x.is_floating_point()
        return Case(op, attrs, [x], lambda x: call(fn, x, attrs), grad=floating and x.numel() > 0,
                    length=extent(x, attrs.get("dim")), out_scale=largest(x))
    return make


def extreme(op, fn):
    """max and min are amax and amin: tied elements share the gradient equally."""
    def make(draw):
        x = draw.normal(draw.any_shape(empty=False), draw.dtype())
        if draw.chance(0.5):
            x = draw.integers(x.shape, -2, 3).to(x.dtype)  # ties
        x = draw.plant(x, [float("inf"), -float("inf")], 0.1)
        attrs = reduce_attrs(draw, x.dim())
        full = dict(attrs) if "dim" in attrs else {"dim": tuple(range(x.dim()))}
        return Case(op, attrs, [x], lambda x: fn(x, **full), grad=True, k=4.0)
    return make


def spread(op, fn):
    def make(draw):
        shape = draw.any_shape(low=1, empty=False)
        offset = draw.pick(0.0, 0.0, 10.0)  # a mean far from zero ruins one-pass formulas
        x = (draw.normal(shape) + offset).to(draw.dtype())
        attrs = reduce_attrs(draw, x.dim())
        correction = draw.pick(None, 0, 1, 2)
        if correction is not None:
            attrs["correction"] = correction
        dim = attrs.get("dim")
        used = 1 if correction is None else correction
        length = extent(x, dim)
        if length <= used and op == "std":  # 0/0 is tested with var; the gradient of its root is not defined
            return make(draw)
        # Equal elements are avoided: std has no gradient there. Errors are of the size of the elements, not of the result.
        inputs_scale = largest(x)
        floor = 1.0
        if op == "std" and length > 1:
            floor = float(torch.std(x.double(), **{"dim": dim if dim is not None else list(range(x.dim())), "correction": used}).min())
        def reference(x):
            return fn(x, **{"dim": list(range(x.dim())), **attrs, "correction": used})
        return Case(op, attrs, [x], reference, grad=length > used, length=length,
                    out_scale=max(1.0, inputs_scale), grad_scale=2.0 * max(1.0, inputs_scale) / max(floor, 1e-3))
    return make


def prod(draw):
    x = draw.uniform(draw.shape(), 0.5, 1.5, draw.dtype())
    x = draw.plant(x, [0.0, -1.0], 0.4)
    attrs = reduce_attrs(draw, x.dim(), lists=False)
    length = extent(x, attrs.get("dim"))
    return Case("prod", attrs, [x], lambda x: call(torch.prod, x, attrs), grad=x.numel() > 0, length=length)


def position(op):
    def make(draw):
        x = draw.normal(draw.shape(empty=False), draw.dtype())
        if draw.chance(0.4):
            x = draw.integers(x.shape, -2, 3).to(x.dtype)  # the first of equals
        attrs = {}
        if draw.chance(0.75):
            attrs["dim"] = draw.dim(x.dim())
            if draw.chance(0.5):
                attrs["keepdim"] = True
        def reference(x):
            # torch does not promise which of equal elements it returns; the lowest index is the rule here.
            dim = attrs.get("dim")
            best = (torch.amax if op == "argmax" else torch.amin)(x, dim=dim if dim is not None else tuple(range(x.dim())), keepdim=True)
            hit = (x == best)
            if dim is None:
                return first_index(hit.reshape(-1), 0, False)
            return first_index(hit, dim, attrs.get("keepdim", False))
        return Case(op, attrs, [x], reference)
    return make


def first_index(hit, dim, keepdim):
    """Index of the first true element along dim."""
    if hit.dim() == 0:
        return torch.zeros((), dtype=torch.int64)
    count = hit.shape[dim]
    shape = [1] * hit.dim()
    shape[dim] = count
    index = torch.arange(count).reshape(shape).expand(hit.shape)
    return torch.where(hit, index, torch.full_like(index, count)).amin(dim=dim, keepdim=keepdim)


def truth(op, fn):
    def make(draw):
        shape = draw.any_shape()
        p = draw.pick(0.1, 0.5, 0.9)
        x = draw.uniform(shape, 0, 1) < p
        attrs = reduce_attrs(draw, x.dim(), lists=False)
        return Case(op, attrs, [x], lambda x: call(fn, x, attrs))
    return make


def cumsum(draw):
    x = draw.normal(draw.any_shape(), draw.dtype())
    dim = draw.dim(x.dim())
    length = extent(x, dim)
    return Case("cumsum", {"dim": dim}, [x], lambda x: torch.cumsum(x, dim), grad=x.numel() > 0, length=length,
                out_scale=largest(x), grad_scale=1.0)


def hard_logits(draw, shape, dtype):
    """Logits of ordinary size, or up to 1e4, where exp overflows without the maximum subtracted."""
    scale = draw.cycle(1.0, 1e4, 30.0, 1e4)
    return draw.normal(shape, dtype, min(scale, 5e3) if dtype == F16 else scale)


def logsumexp(draw):
    x = hard_logits(draw, draw.any_shape(low=1, empty=False), draw.dtype())
    attrs = {"dim": draw.dims(x.dim()) if draw.chance(0.5) else draw.dim(x.dim())}
    if draw.chance(0.4):
        attrs["keepdim"] = True
    # At 1e4 the difference to the maximum is itself rounded, which exp turns into a relative error of its size.
    return Case("logsumexp", attrs, [x], lambda x: call(torch.logsumexp, x, attrs), grad=True,
                length=extent(x, attrs["dim"]), grad_scale=max(1.0, largest(x)))


def softmax(op, fn):
    def make(draw):
        x = hard_logits(draw, draw.any_shape(), draw.dtype())
        dim = draw.dim(x.dim())
        scale = max(1.0, largest(x)) if op == "log_softmax" else 1.0
        return Case(op, {"dim": dim}, [x], lambda x: fn(x, dim=dim), grad=x.numel() > 0, length=extent(x, dim),
                    out_scale=scale, grad_scale=1.0)
    return make


def mse(draw):
    reduction = draw.pick(None, "mean", "sum", "none")
    dtype, shape = draw.dtype(), draw.any_shape()
    attrs = {} if reduction is None else {"reduction": reduction}
    a, b = draw.normal(shape, dtype), draw.normal(shape, dtype)
    length = 1 if reduction == "none" else max(1, a.numel())
    return Case("mse", attrs, [a, b], lambda a, b: F.mse_loss(a, b, **attrs), grad=a.numel() > 0, length=length,
                out_scale=largest(a - b) ** 2 if a.numel() else 0.0)


def by_sample(op, count, error):
    """Errors of samples: mean or sum over all but the first dimension, in f32 for 16-bit input."""
    def make(draw):
        dtype, shape = draw.dtype(), draw.any_shape(low=1, empty=False)
        reduction = draw.pick(None, "mean", "sum")
        inputs = [draw.normal(shape, dtype) for _ in range(count)]
        terms = torch.Size(shape[1:]).numel()
        def reference(*inputs):
            each = error(*inputs).reshape(shape[0], terms)
            return each.sum(1) if reduction == "sum" else each.mean(1)
        return Case(op, {} if reduction is None else {"reduction": reduction}, inputs, reference, grad=True, length=terms,
                    out_scale=(sum(largest(x) for x in inputs)) ** 2, grad_scale=4.0 * sum(largest(x) for x in inputs) / (terms if reduction != "sum" else 1),
                    out_dtype=torch.float64 if dtype == torch.float64 else torch.float32)
    return make


OPS = {
    "sum": total("sum", torch.sum), "mean": total("mean", torch.mean),
    "max": extreme("max", torch.amax), "min": extreme("min", torch.amin),
    "var": spread("var", torch.var), "std": spread("std", torch.std),
    "prod": prod, "argmax": position("argmax"), "argmin": position("argmin"),
    "any": truth("any", torch.any), "all": truth("all", torch.all),
    "cumsum": cumsum, "logsumexp": logsumexp,
    "softmax": softmax("softmax", F.softmax), "log_softmax": softmax("log_softmax", F.log_softmax),
    "mse": mse, "sample_error": by_sample("sample_error", 2, lambda a, b: (a - b) ** 2),
    "error_gain": by_sample("error_gain", 3, lambda a, ref, b: (a - b) ** 2 - (ref - b) ** 2),
}
