"""Cases of ops on pictures. Each entry of OPS takes a Draw and returns a Case."""
import torch
import torch.nn.functional as F

from case import Case, largest


def pair(draw, *choices):
    """One number for both axes, or one each."""
    return draw.pick(*choices) if draw.chance(0.5) else [draw.pick(*choices), draw.pick(*choices)]


def both(value):
    return value if isinstance(value, list) else [value, value]


def conv2d(draw):
    groups = draw.pick(1, 1, 1, 2, 3)
    cin, cout = (draw.pick(1, 2, 3) for _ in range(2)) if draw.small else (draw.pick(1, 2, 3, 5, 17, 32) for _ in range(2))
    if draw.chance(0.2):
        groups, cin, cout = draw.pick(2, 3, 5), 1, draw.pick(1, 1, 2)  # depth-wise, or nearly
    attrs, kernel = {}, [draw.pick(1, 2, 3, 3, 5), draw.pick(1, 2, 3, 3, 5)]
    for key, choices in (("stride", (1, 2, 3)), ("padding", (0, 1, 2)), ("dilation", (1, 1, 2))):
        if draw.chance(0.6):
            attrs[key] = pair(draw, *choices)
    if groups > 1:
        attrs["groups"] = groups
    padding, dilation = both(attrs.get("padding", 0)), both(attrs.get("dilation", 1))
    least = [max(1, dilation[i] * (kernel[i] - 1) + 1 - 2 * padding[i]) for i in range(2)]
    batch = draw.pick(1, 1, 2, 3) if draw.chance(0.95) else 0
    extent = [size + draw.pick(0, 1, 2, 3) if draw.small else size + draw.pick(0, 1, 3, 6, 11) for size in least]
    dtype = draw.dtype()
    x, weight = draw.normal([batch, groups * cin, *extent], dtype), draw.normal([groups * cout, cin, *kernel], dtype)
    bias = draw.normal([groups * cout], dtype) if draw.chance(0.6) else None
    def reference(x, weight, bias=None):
        return F.conv2d(x, weight, bias, attrs.get("stride", 1), padding, dilation, groups)
    length = max(cin, cout) * kernel[0] * kernel[1] + batch * extent[0] * extent[1] + 1
    return Case("conv2d", attrs, [x, weight, bias], reference, grad=batch > 0, length=length,
                out_scale=largest(x) * largest(weight), grad_scale=max(largest(x), largest(weight), 1.0))


def group_norm(draw):
    groups, per_group = draw.pick(1, 2, 3), draw.pick(1, 2, 3) if draw.small else draw.pick(1, 2, 5, 16)
    shape = [draw.pick(1, 2, 3), groups * per_group] + [draw.size() for _ in range(draw.pick(0, 1, 2, 2))]
    dtype = draw.dtype()
    x = (draw.normal(shape) * draw.pick(1.0, 1.0, 20.0) + draw.pick(0.0, 5.0)).to(dtype)
    count = x.numel() // (shape[0] * groups)
    if count == 1:  # torch refuses a group of one value in training
        return group_norm(draw)
    affine = draw.pick("none", "weight", "both", "both")
    w = draw.normal([shape[1]], dtype) if affine != "none" else None
    b = draw.normal([shape[1]], dtype) if affine == "both" else None
    attrs = {"num_groups": groups}
    if draw.chance(0.5):
        attrs["eps"] = draw.pick(1e-5, 1e-6, 1e-3)
    if draw.chance(0.4):
        attrs["silu"] = True
    eps = attrs.get("eps", 1e-5)
    wide = x.double().reshape(shape[0] * groups, count)
    scale = float((1.0 / torch.sqrt(wide.var(1, unbiased=False) + eps)).max())
    widest = 1.0 if w is None else max(1.0, largest(w))
    def reference(x, w=None, b=None):
        y = F.group_norm(x, groups, w, b, eps)
        return F.silu(y) if attrs.get("silu") else y
    return Case("group_norm", attrs, [x, w, b], reference, grad=True, length=max(count, x.numel() // shape[1]),
                out_scale=widest * max(1.0, scale * largest(x)), grad_scale=widest * max(1.0, scale, scale * largest(x)))


OPS = {"conv2d": conv2d, "group_norm": group_norm}
