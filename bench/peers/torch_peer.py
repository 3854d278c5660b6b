"""The PyTorch peer of our benchmarks: the training step of the toy network and the cost of tiny ops, one thread, tuned.

    python torch_peer.py [--seconds 1] [--cpu 0] [NAME ...]      prints one JSON line a benchmark
    python torch_peer.py --serve                                 reads names from standard input, answers each with a line

A line is {"name", "median_s", "spread", "cpu_median_s", "samples", "variant", "torch"}; spread is the interquartile range over the median, and the
processor time leaves out what other programs on the machine took. Where PyTorch offers several ways to do the same work (foreach or fused optimiser, traced or compiled network) each is tried once and the fastest is measured.
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
import statistics
import sys
import time
import warnings

import torch

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
    """Median and interquartile spread of at least 9 samples, each long enough for the clock."""
    for _ in range(3):
        function()
    begin = time.perf_counter()
    function()
    once = max(time.perf_counter() - begin, 1e-7)
    repeat = max(1, int(1e-3 / once))
    wall, cpu, end = [], [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(wall) < 9:
        begin, cpu_begin = time.perf_counter(), time.process_time()
        for _ in range(repeat):
            function()
        cpu.append((time.process_time() - cpu_begin) / repeat / per_call)
        wall.append((time.perf_counter() - begin) / repeat / per_call)
    low, middle, high = statistics.quantiles(wall, n=4)
    return {"median_s": middle, "spread": (high - low) / middle, "cpu_median_s": statistics.median(cpu), "samples": len(wall)}


class Peer:
    """Keeps what was prepared, so that compilation is paid once."""

    def __init__(self, compile_networks):
        self.compile_networks = compile_networks
        self.ready = {}

    def prepare(self, name):
        if name.startswith("toy_step/"):
            return self.fastest_step(int(name.split("/")[1]))
        plain = {"add_2x2": (add_2x2, 1000), "add_2x2_recorded": (add_2x2_recorded, 1000), "chain_100_per_op": (chain_100, 100)}
        make, per_call = plain[name]
        return make(), per_call, "eager"

    def fastest_step(self, size):
        best = None
        for variant, (how, options) in toy_variants().items():
            if variant.startswith("compile") and not self.compile_networks:
                continue
            try:
                step = toy_step(size, how, options)
                took = measure(step, 0.3)["cpu_median_s"]
            except Exception as error:  # an option or compiler that this build lacks
                print(f"# {variant} at {size}: {type(error).__name__}", file=sys.stderr)
                continue
            print(f"# {variant} at {size}: {took * 1e3:.3f} ms", file=sys.stderr)
            if best is None or took < best[0]:
                best = (took, step, variant)
        return best[1], 1, best[2]

    def answer(self, name, seconds):
        if name not in self.ready:
            self.ready[name] = self.prepare(name)
        function, per_call, variant = self.ready[name]
        return {"name": name, **measure(function, seconds, per_call), "variant": variant, "torch": torch.__version__}


NAMES = ["toy_step/512", "toy_step/64", "add_2x2", "add_2x2_recorded", "chain_100_per_op"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--cpu", type=int, help="pin to this processor")
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--no_compile", action="store_true", help="do not try torch.compile, which takes a minute to start")
    arguments = parser.parse_args()
    if arguments.cpu is not None:
        os.sched_setaffinity(0, {arguments.cpu})
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    warnings.simplefilter("ignore")
    peer = Peer(not arguments.no_compile)
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
