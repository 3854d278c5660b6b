"""Cases of indexing, joining and rearranging ops. Each entry of OPS takes a Draw and returns a Case."""
import torch
import torch.nn.functional as F

from case import Case


def moved(op, attrs, inputs, reference, grad=None):
    """Nothing is computed: values and gradients are exact. bool and integer inputs have no gradient."""
    first = next(t for t in inputs if t is not None)
    able = first.is_floating_point() and all(t.numel() > 0 for t in inputs)
    return Case(op, attrs, inputs, reference, grad=able if grad is None else grad and able, k=0.0, out_scale=0.0)


def any_values(draw, shape):
    """Mostly floating; sometimes integers or booleans, which must be moved as well."""
    if draw.chance(0.15):
        return draw.integers(shape, 0, 2).bool() if draw.chance(0.3) else draw.integers(shape, -9, 10, draw.pick(torch.int64, torch.int32))
    return draw.normal(shape, draw.dtype())


def summed(op, attrs, inputs, reference, grad, terms):
    """Gradients gather several terms in one element."""
    return Case(op, attrs, inputs, reference, grad=grad, length=terms, grad_scale=1.0, out_scale=None)


def embedding(draw):
    rows, width = draw.size(), draw.size()
    indices = draw.integers(draw.shape(0, 2), 0, rows)
    weight = draw.normal([rows, width], draw.dtype())
    return summed("embedding", {}, [indices, weight], lambda i, w: F.embedding(i, w), indices.numel() > 0, max(1, indices.numel()))


def gather(draw):
    x = draw.normal(draw.shape(1, 3, empty=False), draw.dtype())
    dim = draw.dim(x.dim())
    shape = [draw.random.randint(1, size) for size in x.shape]
    shape[dim] = draw.size()
    index = draw.integers(shape, 0, x.shape[dim])
    return summed("gather", {"dim": dim}, [x, index], lambda x, i: torch.gather(x, dim, i), True, shape[dim])


def index_select(draw):
    x = draw.normal(draw.shape(1, 3, empty=False), draw.dtype())
    dim = draw.dim(x.dim())
    index = draw.integers([draw.pick(0, 1, 2, 5, 9)], 0, x.shape[dim])
    return summed("index_select", {"dim": dim}, [x, index], lambda x, i: torch.index_select(x, dim, i), index.numel() > 0,
                  max(1, index.numel()))


def scatter_add(draw):
    dtype = draw.dtype()
    x = draw.normal(draw.shape(1, 3, empty=False), dtype)
    dim = draw.dim(x.dim())
    shape = [draw.random.randint(1, size) for size in x.shape]
    shape[dim] = draw.size()
    index, source = draw.integers(shape, 0, x.shape[dim]), draw.normal(shape, dtype)
    case = summed("scatter_add", {"dim": dim}, [x, index, source], lambda x, i, s: torch.scatter_add(x, dim, i, s), True, shape[dim] + 1)
    case.out_scale = 4.0  # terms are standard normal
    return case


def cat(draw):
    shape = draw.shape(1, 3)
    dim = draw.dim(len(shape))
    dtype = draw.dtype()
    parts = []
    for _ in range(draw.pick(1, 2, 2, 3, 4)):
        part = list(shape)
        part[dim] = draw.pick(0, 1, 2, 3, 5) if draw.chance(0.7) else draw.size()
        parts.append(draw.normal(part, dtype))
    return moved("cat", {"dim": dim}, parts, lambda *parts: torch.cat(parts, dim))


def stack(draw):
    shape = draw.shape(0, 3)
    dtype = draw.dtype()
    dim = draw.dim(len(shape) + 1)
    parts = [draw.normal(shape, dtype) for _ in range(draw.pick(1, 2, 3))]
    return moved("stack", {"dim": dim}, parts, lambda *parts: torch.stack(parts, dim))


def slice_op(draw):
    x = any_values(draw, draw.shape(1, 3))
    dim = draw.dim(x.dim())
    size = x.shape[dim]
    start, end = draw.random.randint(-size - 1, size + 1), draw.random.randint(-size - 1, size + 3)
    attrs = {"dim": dim, "start": start, "end": end}
    if draw.chance(0.6):
        attrs["step"] = draw.pick(1, 2, 3)
    chosen = list(range(size))[start:end:attrs.get("step", 1)]
    case = moved("slice", attrs, [x], lambda x: x.index_select(dim, torch.tensor(chosen, dtype=torch.int64)))
    case.grad = case.grad and len(chosen) > 0
    return case


def select(draw):
    x = any_values(draw, draw.shape(1, 3, empty=False))
    dim = draw.dim(x.dim())
    index = draw.random.randrange(-x.shape[dim], x.shape[dim])
    return moved("select", {"dim": dim, "index": index}, [x], lambda x: x.select(dim, index))


def pad(draw):
    x = draw.normal(draw.shape(1, 3, empty=False), draw.dtype())
    pairs = draw.random.randint(1, x.dim())
    amounts = [draw.pick(0, 1, 2, 3) for _ in range(2 * pairs)]
    attrs = {"pad": amounts}
    if draw.chance(0.6):
        attrs["value"] = draw.pick(0.0, 1.5, -2.0)
    value = attrs.get("value", 0.0)
    return moved("pad", attrs, [x], lambda x: F.pad(x, amounts, value=value))


def permute(draw):
    x = any_values(draw, draw.any_shape())
    order = list(range(x.dim()))
    draw.random.shuffle(order)
    dims = [d - x.dim() if draw.chance(0.3) else d for d in order]
    return moved("permute", {"dims": dims}, [x], lambda x: x.permute(dims))


def transpose(draw):
    x = any_values(draw, draw.any_shape(low=1))
    a, b = draw.dim(x.dim()), draw.dim(x.dim())
    return moved("transpose", {"dim0": a, "dim1": b}, [x], lambda x: x.transpose(a, b))


def reshape(draw):
    x = any_values(draw, draw.any_shape())
    rest, shape = x.numel(), []
    if rest == 0:
        shape = draw.pick([0], [3, 0], [0, 1, 2])
    else:
        for divisor in draw.pick([], [1], [2, 3], [3, 1], [5, 2]):
            if rest % divisor == 0:
                shape.append(divisor)
                rest //= divisor
        shape.insert(draw.random.randint(0, len(shape)), -1 if draw.chance(0.5) else rest)
    return moved("reshape", {"shape": shape}, [x], lambda x: x.reshape(shape))


def expand(draw):
    shape = draw.shape(0, 3)
    x = draw.normal([1 if draw.chance(0.5) else size for size in shape], draw.dtype())
    target = [-1 if draw.chance(0.2) and x.shape[d] == shape[d] else shape[d] for d in range(len(shape))]
    target = [draw.size() for _ in range(draw.pick(0, 0, 1, 2))] + target
    full = torch.Size([max(0, s) for s in target]).numel()
    case = summed("expand", {"shape": target}, [x], lambda x: x.expand(target), full > 0 and -1 not in target, 1)
    case.broadcast, case.out_scale = False, 0.0
    case.length = max(1, x.expand(target).numel() // max(1, x.numel()))
    case.grad = x.expand(target).numel() > 0
    return case


def roll(draw):
    x = any_values(draw, draw.any_shape(low=1))
    if draw.chance(0.6):
        shift, dim = draw.random.randint(-9, 9), draw.dim(x.dim())
    else:
        dim = draw.dims(x.dim())
        shift = [draw.random.randint(-9, 9) for _ in dim]
    return moved("roll", {"shift": shift, "dim": dim}, [x], lambda x: torch.roll(x, shift, dim))


def flip(draw):
    x = any_values(draw, draw.any_shape(low=1))
    dims = draw.dims(x.dim())
    return moved("flip", {"dims": dims}, [x], lambda x: torch.flip(x, dims))


def squeeze(draw):
    x = any_values(draw, [1 if draw.chance(0.5) else size for size in draw.shape(0, 4)])
    attrs = {"dim": draw.dim(x.dim())} if draw.chance(0.7) else {}
    return moved("squeeze", attrs, [x], lambda x: torch.squeeze(x, **attrs))


def unsqueeze(draw):
    x = any_values(draw, draw.any_shape(high=3))
    dim = draw.dim(x.dim() + 1)
    return moved("unsqueeze", {"dim": dim}, [x], lambda x: x.unsqueeze(dim))


OPS = {
    "embedding": embedding, "gather": gather, "index_select": index_select, "scatter_add": scatter_add,
    "cat": cat, "stack": stack, "slice": slice_op, "select": select, "pad": pad, "permute": permute, "transpose": transpose,
    "reshape": reshape, "expand": expand, "roll": roll, "flip": flip, "squeeze": squeeze, "unsqueeze": unsqueeze,
}
