"""Cases of attention, linear attention, geglu and rms_norm. Each entry of OPS takes a Draw and returns a Case."""
import torch
import torch.nn.functional as F

from case import Case, eps_of, largest


def attention(draw):
    dtype = draw.dtype()
    batch = draw.pick([], [2], [1, 3], [2, 2])
    if draw.small:
        queries, keys, depth, value_depth = (draw.pick(1, 2, 3, 5) for _ in range(4))
    else:
        queries, keys = draw.pick((1, 1), (3, 7), (17, 77), (64, 64), (65, 130), (129, 5), (200, 31), (70, 515), (300, 270))
        depth, value_depth = draw.pick((8, 8), (1, 3), (5, 2), (32, 32), (40, 40), (33, 7), (80, 80), (160, 17))
    if draw.chance(0.5):
        keys = queries
    attrs = {"causal": draw.cycle(True, False)}
    if draw.chance(0.4):
        attrs["scale"] = draw.pick(0.5, 1.0, -0.3, 0.0)
    # Scores of ordinary size, or up to 1e4, where exp overflows without the maximum subtracted.
    size = draw.cycle(1.0, 1.0, 3.0, 30.0)
    q, k = draw.normal(batch + [queries, depth], dtype, size), draw.normal(batch + [keys, depth], dtype, size)
    v = draw.normal(batch + [keys, value_depth], dtype)
    scale = attrs.get("scale", depth ** -0.5)
    # A score is rounded at its own size, and exp turns that into a relative error of the probabilities.
    scores = max(1.0, abs(scale) * float((q.double().abs() @ k.double().abs().transpose(-1, -2)).max()))
    def reference(q, k, v):
        return F.scaled_dot_product_attention(q, k, v, is_causal=attrs["causal"], scale=attrs.get("scale"))
    return Case("attention", attrs, [q, k, v], reference, grad=True, length=1, k=8.0 + 0.05 * max(queries, keys, depth, value_depth),
                out_scale=scores * largest(v),
                grad_scale=scores * max(1.0, largest(v) * value_depth ** 0.5 * max(1.0, abs(scale)) * max(largest(q), largest(k))))


def linear_attention(draw):
    dtype = draw.dtype()
    batch = draw.pick([], [2], [1, 3], [2, 2])
    if draw.small:
        queries, keys, depth, value_depth = draw.pick(1, 2, 3, 5), draw.pick(1, 2, 3, 5), draw.pick(2, 4), draw.pick(1, 3)
    else:
        queries, keys = draw.pick((1, 1), (3, 7), (17, 77), (65, 130), (129, 5), (300, 270))
        depth, value_depth = draw.pick((8, 8), (5, 2), (32, 32), (33, 7), (40, 80))
    # Mostly positive, for a sum of weights is divided by; sometimes a query or every key without a positive feature, which gives zeros.
    q, k = draw.normal(batch + [queries, depth], dtype) + 1, draw.normal(batch + [keys, depth], dtype) + 1
    v = draw.normal(batch + [keys, value_depth], dtype, 2.0)
    if draw.chance(0.2):
        q[..., 0, :] = -q[..., 0, :].abs()
    if draw.chance(0.1):
        k = -k.abs()
    def reference(q, k, v):
        weights = torch.relu(q) @ torch.relu(k).transpose(-1, -2)
        return (weights @ v) / (weights.sum(-1, keepdim=True) + 1e-15)
    # Sums are of positive terms times v. A gradient in q or k is a difference of two of them over the least sum of weights.
    weights = torch.relu(q.double()) @ torch.relu(k.double()).transpose(-1, -2)
    rows = weights.sum(-1)
    least = float(rows[rows > 0].min()) if bool((rows > 0).any()) else 1.0
    widest = max(1.0, largest(v))
    return Case("linear_attention", {}, [q, k, v], reference, grad=True, length=max(queries, keys, depth, value_depth), out_scale=widest,
                grad_scale=widest * max(1.0, keys * max(largest(q), largest(k)) / least) * max(1.0, largest(q)))


def geglu(draw):
    shape = draw.any_shape(low=1)
    x = draw.normal(shape[:-1] + [2 * shape[-1]], draw.dtype(), 2.0)
    def reference(x):
        a, b = x.chunk(2, -1)
        return a * F.gelu(b)
    # As gelu: 1 + erf cancels on the negative side.
    scale = 4.0 * max(1.0, largest(x))
    return Case("geglu", {}, [x], reference, grad=x.numel() > 0, out_scale=scale, grad_scale=scale)


def rms_norm(draw):
    shape = draw.any_shape(low=1, high=4)
    normalized = shape[-draw.random.randint(1, len(shape)):]
    if 0 in normalized:
        return rms_norm(draw)
    dtype = draw.dtype()
    x = (draw.normal(shape) * draw.pick(1.0, 1.0, 20.0) + draw.pick(0.0, 5.0)).to(dtype)
    w = draw.normal(normalized, dtype) if draw.chance(0.6) else None
    attrs = {"normalized_shape": normalized}
    if draw.chance(0.5):
        attrs["eps"] = draw.pick(1e-5, 1e-6, 1e-3, None)
    eps = attrs.get("eps")
    eps = eps_of(dtype) if eps is None else eps
    length = torch.Size(normalized).numel()
    wide = x.to(torch.float64).reshape(x.numel() // length, length)
    scale = float((1.0 / torch.sqrt((wide ** 2).mean(1) + eps)).max()) if wide.numel() else 1.0
    widest = 1.0 if w is None else max(1.0, largest(w))
    return Case("rms_norm", attrs, [x, w], lambda x, w=None: F.rms_norm(x, normalized, w, eps), grad=x.numel() > 0,
                length=max(length, x.numel() // length), out_scale=widest * max(1.0, scale * largest(x)),
                grad_scale=widest * max(1.0, scale, scale * largest(x)))


OPS = {"attention": attention, "linear_attention": linear_attention, "geglu": geglu, "rms_norm": rms_norm}
