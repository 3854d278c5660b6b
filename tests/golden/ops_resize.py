"""Cases of pooling, resizing and shuffling pixels. Each entry of OPS takes a Draw and returns a Case."""
import torch
import torch.nn.functional as F

from case import Case


def picture(draw, least=(1, 1)):
    channels = draw.pick(1, 2, 3) if draw.small else draw.pick(1, 2, 3, 17)
    extent = [max(size, draw.size()) for size in least]
    batch = 0 if draw.chance(0.04) else draw.pick(1, 2)
    return draw.normal([batch, channels, *extent], draw.dtype())


def pooled(op, attrs, x, reference, terms, grad_terms):
    """A mean of `terms` pixels; a gradient of as many as `grad_terms` parts."""
    return Case(op, attrs, [x], reference, grad=x.numel() > 0, length=max(terms, grad_terms), grad_scale=1.0)


def avg_pool2d(draw):
    kernel = draw.pick(1, 2, 3, [3, 2], [1, 4])
    both = kernel if isinstance(kernel, list) else [kernel, kernel]
    attrs = {"kernel": kernel}
    if draw.chance(0.6):
        attrs["stride"] = draw.pick(1, 2, 3, [2, 1])
    if draw.chance(0.5):
        attrs["padding"] = draw.pick(min(both) // 2, [size // 2 for size in both])
    x = picture(draw, both)
    return pooled("avg_pool2d", attrs, x, lambda x: F.avg_pool2d(x, kernel, attrs.get("stride"), attrs.get("padding", 0)),
                  both[0] * both[1], both[0] * both[1])


def upsample_nearest(draw):
    scale = draw.pick(1, 2, 3, 4)
    x = picture(draw)
    return pooled("upsample_nearest", {"scale": scale}, x, lambda x: F.interpolate(x, scale_factor=scale, mode="nearest"), 1, scale ** 2)


def resized(op, mode):
    def make(draw):
        x, size = picture(draw), [draw.size(), draw.size()]
        down = max(1, x.shape[2] // size[0] + 2) * max(1, x.shape[3] // size[1] + 2)
        up = (size[0] // x.shape[2] + 2) * (size[1] // x.shape[3] + 2)
        return pooled(op, {"size": size}, x, lambda x: F.interpolate(x, size=size, mode=mode), down, up)
    return make


def interpolate_bilinear(draw):
    x, size = picture(draw), [draw.size(), draw.size()]
    # Weights come from positions, which are rounded at the size of the picture.
    terms = 4 * (size[0] // x.shape[2] + 2) * (size[1] // x.shape[3] + 2)
    return pooled("interpolate_bilinear", {"size": size}, x, lambda x: F.interpolate(x, size=size, mode="bilinear", align_corners=False),
                  max(4, *x.shape[2:]), max(terms, *x.shape[2:]))


def pixel_shuffle(draw):
    r = draw.pick(1, 2, 3)
    x = draw.normal([draw.pick(1, 2), draw.pick(1, 2, 3) * r * r, draw.pick(1, 2, 3), draw.pick(1, 2, 3)], draw.dtype())
    return Case("pixel_shuffle", {"upscale": r}, [x], lambda x: F.pixel_shuffle(x, r), grad=True, k=0.0, out_scale=0.0)


def pixel_unshuffle(draw):
    r = draw.pick(1, 2, 3)
    x = draw.normal([draw.pick(1, 2), draw.pick(1, 2, 3), draw.pick(1, 2, 3) * r, draw.pick(1, 2, 3) * r], draw.dtype())
    return Case("pixel_unshuffle", {"downscale": r}, [x], lambda x: F.pixel_unshuffle(x, r), grad=True, k=0.0, out_scale=0.0)


OPS = {"avg_pool2d": avg_pool2d, "upsample_nearest": upsample_nearest, "interpolate_nearest": resized("interpolate_nearest", "nearest"),
       "interpolate_area": resized("interpolate_area", "area"), "interpolate_bilinear": interpolate_bilinear,
       "pixel_shuffle": pixel_shuffle, "pixel_unshuffle": pixel_unshuffle}
