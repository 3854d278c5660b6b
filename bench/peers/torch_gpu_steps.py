"""Whole training steps of torch_gpu.py: eager, compiled, and captured as one CUDA graph. AdamW is the fused one; bf16 is autocast over f32 weights."""
import math

import torch
from torch.nn import functional as F

import torch_unet


class ToyNet(torch.nn.Module):
    """The toy network of bench/diffusion: concat(x, time embedding 32, class embedding 32) -> 3 x 128 SiLU -> 2."""

    def __init__(self):
        super().__init__()
        self.register_buffer("frequencies", torch.exp(-math.log(10000) * torch.arange(16) / 16))
        self.classes = torch.nn.Embedding(6, 32)
        widths = [66, 128, 128, 128]
        layers = [layer for a, b in zip(widths, widths[1:]) for layer in (torch.nn.Linear(a, b), torch.nn.SiLU())]
        self.body = torch.nn.Sequential(*layers, torch.nn.Linear(128, 2))

    def forward(self, x, t, label):
        angles = t[:, None] * self.frequencies
        return self.body(torch.cat([x, torch.sin(angles), torch.cos(angles), self.classes(label)], 1))


def toy_dpo_step(dtype, pairs):
    """Diffusion-DPO on `pairs` pairs: returns a function of one step and what is to be compiled in it."""
    student, reference = ToyNet().cuda(), ToyNet().cuda().requires_grad_(False)
    x0, label = torch.randn(2 * pairs, 2, device="cuda"), torch.randint(0, 6, (pairs,), device="cuda").repeat(2)
    bar = torch.cumprod(1 - torch.linspace(1e-3, 0.2, 100, device="cuda"), 0)
    alpha, sigma = bar.sqrt(), (1 - bar).sqrt()

    def loss_of():
        t, noise = torch.randint(0, 100, (pairs,), device="cuda").repeat(2), torch.randn(pairs, 2, device="cuda").repeat(2, 1)
        x, time = alpha[t][:, None] * x0 + sigma[t][:, None] * noise, t.float()
        (ew, el), (rw, rl) = ((each - noise).square().mean(1).chunk(2) for each in (student(x, time, label), reference(x, time, label)))
        return -F.logsigmoid(-0.5 * 5000.0 * ((ew - el) - (rw - rl))).mean()

    return list(student.parameters()), loss_of


def unet_step(dtype, count):
    net = torch_unet.UNet(torch_unet.CIFAR).cuda().to(memory_format=torch.channels_last)
    assert sum(p.numel() for p in net.parameters()) == torch_unet.CIFAR.parameters
    x0 = torch.randn(count, 3, 32, 32, device="cuda").contiguous(memory_format=torch.channels_last)
    bar = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000, device="cuda"), 0)

    def loss_of():
        t, noise = torch.randint(0, 1000, (count,), device="cuda"), torch.randn_like(x0)
        x = bar[t].sqrt()[:, None, None, None] * x0 + (1 - bar[t]).sqrt()[:, None, None, None] * noise
        with torch.autocast("cuda", torch.bfloat16, enabled=dtype == torch.bfloat16):
            prediction = net(x, t.float())
        return F.mse_loss(prediction.float(), noise)

    return list(net.parameters()), loss_of


def stable_diffusion(dtype, count):
    net = torch_unet.UNet(torch_unet.STABLE_DIFFUSION).cuda().to(memory_format=torch.channels_last)
    x0 = torch.randn(count, 4, 64, 64, device="cuda").contiguous(memory_format=torch.channels_last)
    return net, x0, torch.randn(count, 77, 768, device="cuda")


def sd_step(dtype, count):
    net, x0, context = stable_diffusion(dtype, count)
    bar = torch.cumprod(1 - torch.linspace(0.00085**0.5, 0.012**0.5, 1000, device="cuda") ** 2, 0)

    def loss_of():
        t, noise = torch.randint(0, 1000, (count,), device="cuda"), torch.randn_like(x0)
        x = bar[t].sqrt()[:, None, None, None] * x0 + (1 - bar[t]).sqrt()[:, None, None, None] * noise
        with torch.autocast("cuda", torch.bfloat16, enabled=dtype == torch.bfloat16):
            prediction = net(x, t.float(), context)
        return F.mse_loss(prediction.float(), noise)

    return list(net.parameters()), loss_of


def sd_forward(dtype, count):
    net, x, context = (each.to(dtype) for each in stable_diffusion(dtype, count))
    t = torch.full((count,), 500.0, device="cuda")
    return None, lambda: net(x, t, context)


STEPS = {"toy_dpo_step": toy_dpo_step, "unet_step": unet_step, "sd_step": sd_step, "sd_forward": sd_forward}


def stepper(parameters, loss_of):
    """A training step; without parameters just the call, with nothing recorded."""
    if parameters is None:
        return torch.no_grad()(lambda i=0: loss_of())
    optimiser = torch.optim.AdamW(parameters, lr=1e-5, fused=True, capturable=True)

    def step(i=0):
        optimiser.zero_grad(set_to_none=False)
        loss_of().backward()
        torch.nn.utils.get_total_norm([p.grad for p in parameters])  # ours measures the gradient's norm too
        optimiser.step()
    return step


def captured(step):
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        for _ in range(5):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return lambda i: graph.replay()


def variants(kind, dtype, size):
    parameters, loss_of = STEPS[kind](dtype, size)
    return {"eager": stepper(parameters, loss_of), "compile": stepper(parameters, torch.compile(loss_of, mode="max-autotune-no-cudagraphs")),
            "graph": captured(stepper(parameters, loss_of))}
