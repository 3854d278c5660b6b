"""The PyTorch peer of our benchmarks: training and preference steps of the toy network and the cost of tiny ops, one thread, tuned.

    python torch_peer.py [--seconds 1] [--cpu 0] [NAME ...]      prints one JSON line a benchmark
    python torch_peer.py --serve                                 reads names from standard input, answers each with a line

A line is {"name", "median_s", "spread", "cpu_median_s", "samples", "variant", "torch"}; spread is the interquartile range over the median, and the
processor time leaves out what other programs on the machine took; process_MB is the most memory this process held so far. Where PyTorch offers several ways to do the same work (foreach or fused optimiser, traced or compiled network) each is tried once and the fastest is measured.
"""
import os

# Before torch is imported. Old OpenBLAS takes new Xeons for chips without AVX; these choices are the fastest where they apply.
# ATen reads its variable as a wish, so a machine without AVX-512 must not be asked for it.
with open("/proc/cpuinfo") as cpuinfo:
    FLAGS = next((line.split(":")[1].split() for line in cpuinfo if line.startswith("flags")), [])
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
if "avx512f" in FLAGS:
    os.environ.setdefault("ATEN_CPU_CAPABILITY", "avx512")
    os.environ.setdefault("OPENBLAS_CORETYPE", "Cooperlake" if "avx512_bf16" in FLAGS else "SkylakeX")

import argparse
import json
import math
import resource
import statistics
import sys
import time
import warnings

import torch

import torch_condition_unet
import torch_ops
import torch_stable_diffusion
import torch_unet

CLASSES, TIME_WIDTH, CLASS_WIDTH, HIDDEN = 6, 32, 32, 128


class ToyNet(torch.nn.Module):
    """concat(x, sinusoidal time embedding 32, class embedding 32) -> 3 x 128 SiLU -> 2: 42,050 parameters."""

    def __init__(self):
        super().__init__()
        half = TIME_WIDTH // 2
        self.register_buffer("frequencies", torch.exp(-math.log(10000) * torch.arange(half) / half))
        self.classes = torch.nn.Embedding(CLASSES, CLASS_WIDTH)
        width, layers = 2 + TIME_WIDTH + CLASS_WIDTH, []
        for _ in range(3):
            layers += [torch.nn.Linear(width, HIDDEN), torch.nn.SiLU()]
            width = HIDDEN
        self.body = torch.nn.Sequential(*layers, torch.nn.Linear(HIDDEN, 2))

    def forward(self, x, t, label):
        angles = t[:, None] * self.frequencies
        return self.body(torch.cat([x, torch.sin(angles), torch.cos(angles), self.classes(label)], 1))


def batch_of(size):
    generator = torch.Generator().manual_seed(1)
    return (torch.randn(size, 2, generator=generator), torch.randint(0, 100, (size,), generator=generator).float(),
            torch.randint(0, CLASSES, (size,), generator=generator), torch.randn(size, 2, generator=generator))


def traced(net, batch):
    return torch.jit.trace(net, batch[:3])


def compiled(net, batch):
    return torch.compile(net)


def toy_variants():
    """name -> (how the network is prepared, optimiser options). Those this PyTorch lacks fail when tried and drop out."""
    networks = {"eager": lambda net, batch: net, "trace": traced}
    if hasattr(torch, "compile"):
        networks["compile"] = compiled
    return {f"{network}+{kind}": (prepare, {kind: True} if kind != "loop" else {"foreach": False})
            for network, prepare in networks.items() for kind in ("loop", "foreach", "fused")}


def toy_step(size, prepare, optimiser_options):
    """Returns a function that does one step: forward, mean squared error, backward, AdamW."""
    torch.manual_seed(0)
    net, batch = ToyNet(), batch_of(size)
    assert sum(p.numel() for p in net.parameters()) == 42050
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3, **optimiser_options)
    run = prepare(net, batch)
    x, t, label, target = batch

    def step():
        optimiser.zero_grad(set_to_none=True)
        torch.nn.functional.mse_loss(run(x, t, label), target).backward()
        optimiser.step()
    for _ in range(5):
        step()
    return step


class PairData:
    """A fixed batch of pairs and the schedule's tables."""

    def __init__(self, size):
        generator = torch.Generator().manual_seed(1)
        self.x0 = torch.randn(2 * size, 2, generator=generator)  # winners first
        self.label = torch.randint(0, CLASSES, (size,), generator=generator).repeat(2)
        self.negative = torch.randint(0, CLASSES, (size,), generator=generator)
        self.with_negative = torch.cat([self.label, self.negative])
        bar = torch.cumprod(1 - torch.linspace(1e-3, 0.2, 100), 0)
        self.alpha, self.sigma = bar.sqrt(), (1 - bar).sqrt()


def errors(prediction, target):
    return (prediction - target).square().mean(1)


def logits(pred, ref, target, beta):
    ew, el = errors(pred, target).chunk(2)
    rw, rl = errors(ref, target).chunk(2)
    return -0.5 * beta * ((ew - el) - (rw - rl)), ew


def dpo_loss(pred, ref, target, beta):
    return -torch.nn.functional.logsigmoid(logits(pred, ref, target, beta)[0]).mean()


def self_dpo_loss(pred, ref, target):
    z, ew = logits(pred, ref, target, 5000.0)
    return 0.5 * ew.mean() - 0.5 * torch.nn.functional.logsigmoid(z).mean()


def dspo_loss(pred, ref, target):
    n = pred.shape[0] // 2
    weight = 0.001 * (1 - torch.sigmoid(logits(pred, ref, target, 0.001)[0]))
    return ((pred[:n] - target[:n]) - weight[:, None] * (pred[:n] - ref[:n])).square().mean()


PREFERENCE_LOSSES = {
    "dpo_step": lambda pred, ref, target: dpo_loss(pred, ref, target, 5000.0),
    "tf_cpp_step": lambda pred, ref, target: dpo_loss(pred, ref, target, 16000.0),
    "self_dpo_step": self_dpo_loss,
    "dspo_step": dspo_loss,
}


def preference_step(kind, size, prepare, optimiser_options):
    """Returns a function that does one step: draws, noising, frozen and trained forwards (the frozen ones of TF-CPP in one batch), loss, backward,
    AdamW. With prepare = compiled everything up to the loss is one compiled function."""
    torch.manual_seed(0)
    student, reference, data = ToyNet(), ToyNet(), PairData(size)
    reference.load_state_dict(student.state_dict())
    reference.requires_grad_(False)
    optimiser = torch.optim.AdamW(student.parameters(), lr=1e-5, **optimiser_options)
    loss_of, n = PREFERENCE_LOSSES[kind], size
    whole = prepare is compiled
    if whole:
        run, frozen = student, reference
    else:
        times = torch.zeros(2 * n)
        run, frozen = prepare(student, (data.x0, times, data.label)), prepare(reference, (data.x0, times, data.label))

    def loss_from(x0, t, noise):
        t, target = torch.cat([t, t]), torch.cat([noise, noise])
        x = data.alpha[t][:, None] * x0 + data.sigma[t][:, None] * target
        time = t.float()
        with torch.no_grad():
            if kind == "tf_cpp_step":
                everything = frozen(torch.cat([x, x[n:]]), torch.cat([time, time[n:]]), data.with_negative)
                ref, target = everything[:2 * n], torch.cat([everything[:n], everything[2 * n:]])
            else:
                ref = frozen(x, time, data.label)
        return loss_of(run(x, time, data.label), ref, target)

    evaluate = torch.compile(loss_from) if whole else loss_from

    def step():
        optimiser.zero_grad(set_to_none=True)
        x0 = data.x0
        if kind == "self_dpo_step":  # another winner of the batch as the loser
            x0 = torch.cat([x0[:n], x0[torch.randperm(n)]])
        evaluate(x0, torch.randint(0, 100, (n,)), torch.randn(n, 2)).backward()
        optimiser.step()
    for _ in range(5):
        step()
    return step


def add_2x2():
    a, b = torch.ones(2, 2), torch.ones(2, 2)
    add = torch.add

    def thousand():
        with torch.no_grad():
            for _ in range(1000):
                add(a, b)
    return thousand


def add_2x2_recorded():
    a, b = torch.ones(2, 2, requires_grad=True), torch.ones(2, 2)
    add = torch.add

    def thousand():
        for _ in range(1000):
            add(a, b)
    return thousand


def chain_100():
    """y = y + b a hundred times on 2x2, then backward from the sum; forward and backward together, a step of the chain."""
    x, b = torch.ones(2, 2, requires_grad=True), torch.ones(2, 2)
    add, ones = torch.add, torch.ones(2, 2)

    def chain():
        x.grad = None
        y = x
        for _ in range(100):
            y = add(y, b)
        y.backward(ones)
    return chain


def measure(function, seconds, per_call=1):
    """Median and interquartile spread of at least 9 samples, each long enough for the clock; of something slow, 3."""
    function()
    begin = time.perf_counter()
    function()
    once = max(time.perf_counter() - begin, 1e-7)
    repeat, least = max(1, int(1e-3 / once)), 9 if once < SLOW else 3
    for _ in range(2 if once < SLOW else 0):
        function()
    wall, cpu, end = [], [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(wall) < least:
        begin, cpu_begin = time.perf_counter(), time.process_time()
        for _ in range(repeat):
            function()
        cpu.append((time.process_time() - cpu_begin) / repeat / per_call)
        wall.append((time.perf_counter() - begin) / repeat / per_call)
    low, middle, high = statistics.quantiles(wall, n=4)
    return {"median_s": middle, "spread": (high - low) / middle, "cpu_median_s": statistics.median(cpu), "samples": len(wall)}


def attention_forward(shape):
    q, k, v = (torch.rand(shape) * 2 - 1 for _ in range(3))
    return lambda: torch.nn.functional.scaled_dot_product_attention(q, k, v)


SLOW = 0.1  # seconds


def sizes_of(text):
    """m:512/n:128/k:128 -> [512, 128, 128]"""
    return [int(part.split(":")[1]) for part in text.split("/")]


def linear_layer(kind, m, n, k):
    """linear with bias; linear_silu keeps what a backward pass would need, as ours does."""
    linear, silu = torch.nn.functional.linear, torch.nn.functional.silu
    train = kind == "linear_silu"
    x, weight, bias = torch.rand(m, k), torch.rand(n, k).requires_grad_(train), torch.rand(n)
    return (lambda: silu(linear(x, weight, bias))) if train else (lambda: linear(x, weight, bias))


def batched_product(batch, m, n, k):
    a, b = torch.rand(batch, m, k), torch.rand(batch, k, n)
    return lambda: torch.matmul(a, b)


CONVOLUTIONS = ("conv2d_forward", "conv2d_x", "conv2d_weight")
CONVOLUTION_SHAPES = ((16, 64, 32), (16, 128, 16), (16, 256, 8), (2, 320, 64), (2, 640, 32), (2, 1280, 16))  # pictures, channels, height and width


def convolution(kind, shape):
    """name of a memory order -> a function that runs one direction of a 3x3 convolution in it; the result is allocated, as ours."""
    n, channels, out, side = shape
    aten, one = torch.ops.aten, [1, 1]

    def in_order(order):
        x, grad, weight = (torch.rand(s).mul(2).sub(1).contiguous(memory_format=order)
                           for s in ((n, channels, side, side), (n, out, side, side), (out, channels, 3, 3)))
        if kind == "conv2d_forward":
            return lambda: torch.nn.functional.conv2d(x, weight, padding=1)
        wanted = [kind == "conv2d_x", kind == "conv2d_weight", False]
        return lambda: aten.convolution_backward(grad, x, weight, None, one, one, one, False, [0, 0], 1, wanted)

    return {"contiguous": in_order(torch.contiguous_format), "channels_last": in_order(torch.channels_last)}


class Peer:
    """Keeps what was prepared, so that compilation is paid once."""

    def __init__(self, compile_networks, only=None):
        self.compile_networks, self.only = compile_networks, only
        self.ready = {}

    def prepare(self, name):
        kind, _, size = name.partition("/")
        if kind == "toy_step":
            return self.fastest_step(name, lambda *how: toy_step(int(size), *how))
        if kind in torch_unet.BENCHMARKS:
            return self.fastest_unet(name, torch_unet.BENCHMARKS[kind], int(size))
        if kind in torch_condition_unet.BENCHMARKS:
            return self.fastest_unet(name, torch_condition_unet.BENCHMARKS[kind], int(size))
        if kind in torch_stable_diffusion.BENCHMARKS:
            return self.fastest_unet(name, torch_stable_diffusion.BENCHMARKS[kind], int(size))
        if kind in PREFERENCE_LOSSES:
            return self.fastest_step(name, lambda *how: preference_step(kind, int(size), *how))
        if kind in CONVOLUTIONS:
            orders = convolution(kind, [int(part.split(":")[1]) for part in size.split("/")])  # n:2/in:64/out:64/side:32
            faster = min(orders, key=lambda order: measure(orders[order], 0.1)["cpu_median_s"])
            return orders[faster], 1, faster
        if kind in ("linear_bias", "linear_silu"):
            return linear_layer(kind, *sizes_of(size)), 1, "eager"
        if kind == "matmul_batched":
            return batched_product(*sizes_of(size)), 1, "eager"
        if kind == "attention_forward":
            shape = [int(part.split(":")[1]) for part in size.split("/")]  # B:2/heads:8/T:1024/d:40
            return attention_forward(shape), 1, "eager"
        if kind in torch_ops.OPS:
            return torch_ops.OPS[kind](int(size)), 1, "eager"
        plain = {"add_2x2": (add_2x2, 1000), "add_2x2_recorded": (add_2x2_recorded, 1000), "chain_100_per_op": (chain_100, 100)}
        make, per_call = plain[name]
        return make(), per_call, "eager"

    def fastest_step(self, name, make):
        best = None
        for variant, (how, options) in toy_variants().items():
            if variant.startswith("compile") and not self.compile_networks:
                continue
            try:
                step = make(how, options)
                took = measure(step, 0.3)["cpu_median_s"]
            except Exception as error:  # an option or compiler that this build lacks
                print(f"# {name} {variant}: {type(error).__name__}", file=sys.stderr)
                continue
            print(f"# {name} {variant}: {took * 1e3:.3f} ms", file=sys.stderr)
            if best is None or took < best[0]:
                best = (took, step, variant)
        return best[1], 1, best[2]

    def fastest_unet(self, name, make, size):
        """Every variant is run once more than its warm-up; the fastest is kept."""
        best = None
        for variant, (memory, compiled) in torch_unet.variants().items():
            if self.only and self.only != variant or compiled and not self.compile_networks:
                continue
            try:
                call = make(size, memory, compiled)
                took = measure(call, 0)["cpu_median_s"]
            except Exception as error:  # a compiler that this build lacks
                print(f"# {name} {variant}: {type(error).__name__}", file=sys.stderr)
                continue
            print(f"# {name} {variant}: {took:.3f} s", file=sys.stderr)
            if best is None or took < best[0]:
                best = (took, call, variant)
        if best is None:
            raise KeyError(name)
        return best[1], 1, best[2]

    def answer(self, name, seconds):
        if name not in self.ready:
            self.ready[name] = self.prepare(name)
        function, per_call, variant = self.ready[name]
        result = measure(function, seconds, per_call)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024e-6
        return {"name": name, **result, "variant": variant, "torch": torch.__version__, "process_MB": round(peak)}


NAMES = ["toy_step/512", "toy_step/64", "dpo_step/64", "tf_cpp_step/64", "self_dpo_step/64", "dspo_step/64", "add_2x2", "add_2x2_recorded", "chain_100_per_op",
         *(f"{name}/16" for name in torch_unet.BENCHMARKS), "unet_condition_tiny_step/16", "unet_condition_step/16", "attention_forward/B:16/heads:4/T:64/d:32", "attention_forward/B:2/heads:8/T:1024/d:40", "attention_forward/B:1/heads:8/T:4096/d:40",
         *(f"{kind}/n:{n}/in:{channels}/out:{channels}/side:{side}" for n, channels, side in CONVOLUTION_SHAPES for kind in CONVOLUTIONS)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--cpu", type=int, help="pin to this processor")
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--variant", help="of the UNet, as eager+channels_last; with one name and --no_compile, process_MB is that variant's peak")
    parser.add_argument("--no_compile", action="store_true", help="do not try torch.compile, which takes a minute to start")
    arguments = parser.parse_args()
    if arguments.cpu is not None:
        os.sched_setaffinity(0, {arguments.cpu})
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    warnings.simplefilter("ignore")
    peer = Peer(not arguments.no_compile, arguments.variant)
    for name in map(str.strip, sys.stdin) if arguments.serve else arguments.names:
        if not name:
            continue
        try:
            reply = peer.answer(name, arguments.seconds)
        except KeyError:
            reply = {"name": name, "error": "unknown benchmark"}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
