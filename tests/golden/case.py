"""One test case of an op: inputs, a reference in torch, and how close an answer must be.

The reference is computed in float64 from the inputs as stored (a float32 input is widened exactly), with torch's autograd for
the gradients, and rounded once to the dtype of the output. Tolerances are `k x eps x length`:

* eps is the machine epsilon of the arithmetic (float32 for 16-bit tensors, which add the rounding of the result itself);
* length is the number of terms of the longest sum in the op or its gradient, 1 for elementwise ops;
* k = 8 covers the few units in the last place that a good implementation of a transcendental function may lose, and the two or
  three roundings of a composite formula; ops that lose more say so where they are defined.

The relative part multiplies the expected element; the absolute part multiplies the scale of what was summed, because a sum
that cancels is only as exact as its largest term. Infinities and NaN must match exactly.
"""
import dataclasses
import math
import typing

import torch

FLOATS = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
# Below these an answer may be flushed to zero or lose bits; float16's subnormals survive because it is computed in float32.
SMALLEST = {torch.float64: 2.3e-308, torch.float32: 1.2e-38, torch.bfloat16: 1.2e-38, torch.float16: 2.0**-24}


@dataclasses.dataclass
class Case:
    op: str
    attrs: dict
    inputs: list                      # torch tensors; None for an optional input that is absent
    reference: typing.Callable        # (*inputs as float64 where floating) -> tensor or tuple
    grad: bool = False
    k: float = 8.0
    length: int = 1                   # terms of the longest sum
    out_scale: typing.Optional[float] = None   # absolute part of the tolerance of outputs; None: their largest element
    grad_scale: float = 0.0           # scale of the terms of a gradient for an upstream gradient of 1; 0: its largest element
    broadcast: bool = False           # elementwise inputs that are broadcast: gradients are sums of contributions
    out_dtype: typing.Optional[torch.dtype] = None  # of floating outputs; None: that of the first floating input


def widen(tensor):
    return tensor.to(torch.float64) if tensor is not None and tensor.dtype in FLOATS else tensor


def largest(tensor):
    finite = tensor.detach().to(torch.float64)
    finite = finite[torch.isfinite(finite)]
    return float(finite.abs().max()) if finite.numel() else 0.0


def eps_of(dtype):
    return torch.finfo(torch.float64 if dtype == torch.float64 else torch.float32).eps


def tolerance(dtype, k, length, scale, roundings):
    """[absolute, relative]; exact for everything that is not floating."""
    if dtype not in FLOATS:
        return [0.0, 0.0]
    relative = k * eps_of(dtype) * max(1, length)
    if dtype in (torch.bfloat16, torch.float16):
        relative += roundings * torch.finfo(dtype).eps
    return [relative * scale + SMALLEST[dtype], relative]


def as_tuple(value):
    return value if isinstance(value, tuple) else (value,)


def contribution_scale(case, leaves, upstream):
    """Largest single contribution to each gradient, before broadcasting sums them."""
    shape = torch.broadcast_shapes(*[leaf.shape for leaf in leaves if leaf is not None])
    full = [leaf.detach().expand(shape).clone().requires_grad_(leaf.requires_grad) for leaf in leaves]
    outs = as_tuple(case.reference(*full))
    wanted = [leaf for leaf in full if leaf.requires_grad]
    grads = torch.autograd.grad(outs, wanted, upstream, allow_unused=True)
    return [largest(grad) if grad is not None else 0.0 for grad in grads]


def evaluate(case, generator):
    """Returns (inputs, expected, tolerances): names -> tensors, names -> [absolute, relative]."""
    inputs = {str(i): tensor for i, tensor in enumerate(case.inputs) if tensor is not None}
    floating = [i for i, tensor in enumerate(case.inputs) if tensor is not None and tensor.dtype in FLOATS]
    dtype = case.out_dtype or (case.inputs[floating[0]].dtype if floating else None)
    leaves = [widen(tensor) for tensor in case.inputs]
    if case.grad:
        for i in floating:
            leaves[i] = leaves[i].clone().requires_grad_(True)
    outs = as_tuple(case.reference(*leaves))
    expected, tolerances, upstream = {}, {}, []
    for j, out in enumerate(outs):
        out_dtype = dtype if out.dtype in FLOATS else out.dtype
        expected[f"out{j}"] = out.detach().to(out_dtype)
        scale = largest(out) if case.out_scale is None else case.out_scale
        tolerances[f"out{j}"] = tolerance(out_dtype, case.k, case.length, scale, 1)
        if case.grad:
            g = torch.randn(out.shape, generator=generator, dtype=torch.float64).to(out_dtype)
            inputs[f"g{j}"] = g
            upstream.append(widen(g))
    if case.grad:
        wanted = [leaves[i] for i in floating]
        grads = torch.autograd.grad(outs, wanted, upstream, allow_unused=True)
        scales = contribution_scale(case, leaves, upstream) if case.broadcast else [0.0] * len(floating)
        up = max(largest(g) for g in upstream)
        for i, leaf, grad, scale in zip(floating, wanted, grads, scales):
            grad = torch.zeros_like(leaf) if grad is None else grad
            kept = case.inputs[i].dtype
            expected[f"grad{i}"] = grad.to(kept)
            total = leaf.numel() and math.ceil(outs[0].numel() / leaf.numel())
            length = max(case.length, total) if case.broadcast else case.length
            scale = max(scale, largest(grad), up * case.grad_scale)
            # A 16-bit gradient may be formed from a saved output that was itself rounded, and be scaled once more.
            tolerances[f"grad{i}"] = tolerance(kept, case.k, length, scale, 4)
    return inputs, expected, tolerances


def mismatch(got, want, tol):
    """None when equal within tolerance, else one sentence naming the worst element."""
    if got.dtype != want.dtype:
        return f"dtype {got.dtype}, expected {want.dtype}"
    if got.shape != want.shape:
        return f"shape {list(got.shape)}, expected {list(want.shape)}"
    if want.dtype not in FLOATS:
        wrong = (got != want).reshape(-1).nonzero()
        if len(wrong) == 0:
            return None
        at = int(wrong[0])
        return f"{len(wrong)} of {want.numel()} differ, first [{at}] {got.reshape(-1)[at]} expected {want.reshape(-1)[at]}"
    a, b = got.to(torch.float64).reshape(-1), want.to(torch.float64).reshape(-1)
    exact = (a == b) | (a.isnan() & b.isnan())
    bound = tol[0] + tol[1] * b.abs()
    difference = (a - b).abs()
    good = exact | (difference <= bound)  # a NaN or an infinity that is not expected compares false
    if bool(good.all()):
        return None
    excess = torch.where(good, torch.zeros_like(a), (difference / bound).nan_to_num(nan=math.inf, posinf=math.inf))
    at = int(excess.argmax())
    return (f"{int((~good).sum())} of {a.numel()} outside tolerance, worst [{at}] {a[at]:.17g} expected {b[at]:.17g} "
            f"(allowed {bound[at]:.3g})")
