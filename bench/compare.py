"""Runs our benchmarks and their PyTorch peers in turn and prints a table of ratios.

    python bench/compare.py [--build build] [--rounds 7] [--seconds 0.5] [--peer pip=.venv/bin/python --peer debian=/usr/bin/python3]

Every round measures each benchmark once with ours and once with every peer, one straight after the other on the same processor, so that
a change of the machine's mood meets all of them; the ratio is formed within a round and its median over rounds is reported. The peer is the fastest
of those given (by median). Wall-clock time is what counts; the ratio of processor time beside it shows whether other programs disturbed it.
Ours are the Google Benchmark programs under BUILD/bench, with the benchmark names of GOALS; an iteration of chain_100_per_op is one op (a hundred of
them a `KeepRunningBatch(100)`), of the others one step or one call. Benchmarks or peers that are missing are named and left out. Markdown on standard
output; `--json FILE` keeps everything. Exit status 1 when nothing could be compared, or with --check when a goal is missed.
"""
import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

# name -> (least ratio peer / ours, or None; most seconds a call, or None)
GOALS = {
    "toy_step/512": (2.0, None),
    "toy_step/64": (3.5, None),
    "dpo_step/64": (3.0, None),
    "tf_cpp_step/64": (None, None),
    "self_dpo_step/64": (None, None),
    "dspo_step/64": (None, None),
    "unet_forward/16": (2.0, None),
    "unet_step/16": (2.0, None),
    "unet_dpo_step/16": (2.0, None),
    "unet_recipe_dpo_step/16": (2.0, None),
    "unet_condition_tiny_step/16": (2.0, None),
    "unet_condition_step/16": (2.0, None),
    "add_2x2": (None, 100e-9),
    "add_2x2_recorded": (None, 200e-9),
    "chain_100_per_op": (None, 500e-9),
    # 160 GFLOP/s; the weight of few rows is packed beforehand
    "linear_bias/m:512/n:128/k:128": (None, 105e-6),
    "linear_bias/m:64/n:128/k:128": (None, 13.1e-6),
    "linear_bias/m:16/n:1280/k:320": (None, 81.9e-6),
    "linear_bias/m:4096/n:320/k:320": (None, 5.24e-3),
    "linear_bias/m:4096/n:1280/k:320": (None, 21e-3),
    "linear_bias/m:512/n:2/k:128": (None, None),
    "linear_silu/m:512/n:128/k:128": (None, None),
    "matmul_batched/batch:64/m:64/n:64/k:32": (None, None),
    "matmul_batched/batch:16/m:32/n:32/k:1024": (None, None),
    # 110 GFLOP/s
    "attention_forward/B:16/heads:4/T:64/d:32": (None, 305e-6),
    "attention_forward/B:2/heads:8/T:1024/d:40": (None, 24.4e-3),
    "attention_forward/B:1/heads:8/T:4096/d:40": (None, 195e-3),
}
# 3x3 convolutions, pictures, channels, height and width: 400 effective GFLOP/s up to 640 channels
for n, channels, side in ((16, 64, 32), (16, 128, 16), (16, 256, 8), (2, 320, 64), (2, 640, 32), (2, 1280, 16)):
    for kind in ("conv2d_forward", "conv2d_x", "conv2d_weight"):
        GOALS[f"{kind}/n:{n}/in:{channels}/out:{channels}/side:{side}"] = (None, 18 * n * (side * channels) ** 2 / 400e9 if channels <= 640 else None)
# op -> arrays of least traffic, GB/s to reach at 1e6 elements (half of it at 1e7), least ratio peer / ours or None. `--names ops` compares these.
SINGLE_OPS = {
    "add": (3, 24, None), "copy": (2, 24, None), "sum": (1, 24, None), "silu": (2, 24, None), "silu_backward": (3, 24, None), "tanh": (2, 24, None),
    "gelu": (2, 24, None), "softmax": (2, 24, None), "log_softmax": (2, 24, None), "layer_norm": (2, 24, None), "group_norm": (2, 24, None),
    "group_norm_nhwc": (2, 24, None), "group_norm_silu": (2, 24, 3.5), "group_norm_silu_nhwc": (2, 24, 3.5), "group_norm_silu_backward": (3, 24, 3.5),
    "group_norm_silu_backward_nhwc": (3, 24, 3.5), "randn": (1, 10, None), "mse": (2, 24, None), "adamw": (7, 24, None), "nchw_to_nhwc": (2, 20, None),
}
OPS = {f"{op}/{elements}": (ratio, arrays * 4e-9 * elements / (speed if elements == 1000000 else speed / 2))
       for elements in (1000000, 10000000) for op, (arrays, speed, ratio) in SINGLE_OPS.items()}
# Takes minutes and 7 GB: measured when named.
HUGE = {"unet_sd15_forward/1": (1.3, None)}
# name -> (another of ours, most that ours may take of its time)
OWN_GOALS = {
    "tf_cpp_step/64": ("dpo_step/64", 1.35),
    "self_dpo_step/64": ("dpo_step/64", 1.05),
    "dspo_step/64": ("dpo_step/64", 1.05),
}
UNIT = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
# Of ours, too, a measurement is the median of many samples as short as the peers': what another program takes for a moment is in neither.
SAMPLE_SECONDS = 1e-3
SLOW = ("unet_",)  # a call of these is a sample: three are enough
PEER = pathlib.Path(__file__).resolve().parent / "peers" / "torch_peer.py"


class Ours:
    """Our benchmark programs, started anew for each measurement."""

    def __init__(self, build, seconds, cpu):
        self.seconds, self.cpu = seconds, cpu
        self.program_of = {}
        for program in sorted(path for path in build.glob("bench/**/*") if path.is_file() and os.access(path, os.X_OK) and path.suffix == ""):
            try:
                listing = subprocess.run([program, "--benchmark_list_tests"], capture_output=True, text=True, timeout=60)
            except (OSError, subprocess.TimeoutExpired):
                continue
            for name in listing.stdout.splitlines() if listing.returncode == 0 else []:
                self.program_of.setdefault(name.strip(), program)

    def names(self):
        return set(self.program_of)

    def measure(self, name):
        """Returns (wall seconds, processor seconds) of one iteration, or None."""
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder) / "out.json"
            repetitions = 3 if name.startswith(SLOW) else max(9, round(self.seconds / SAMPLE_SECONDS))
            command = [self.program_of[name], f"--benchmark_filter=^{name}$", f"--benchmark_min_time={SAMPLE_SECONDS}",
                       f"--benchmark_repetitions={repetitions}", f"--benchmark_out={out}",
                       "--benchmark_out_format=json"]
            run = subprocess.run(command, capture_output=True, text=True, preexec_fn=lambda: os.sched_setaffinity(0, {self.cpu}))
            if run.returncode or not out.exists():
                print(f"{name}: {self.program_of[name]} exited {run.returncode}: {run.stderr.strip()[-200:]}", file=sys.stderr)
                return None
            results = [b for b in json.loads(out.read_text())["benchmarks"] if b.get("run_type") != "aggregate" and not b.get("error_occurred")]
        if not results:
            return None
        unit = UNIT[results[0]["time_unit"]]
        return tuple(statistics.median(b[key] for b in results) * unit for key in ("real_time", "cpu_time"))


class Peer:
    """A PyTorch process that stays alive, so that imports and compilation are paid once."""

    def __init__(self, label, python, seconds, cpu, options):
        self.label, self.version, self.variants = label, "?", {}
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        self.process = subprocess.Popen([python, str(PEER), "--serve", "--seconds", str(seconds), "--cpu", str(cpu), *options], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env=environment)

    def measure(self, name):
        try:
            self.process.stdin.write(name + "\n")
            self.process.stdin.flush()
            reply = json.loads(self.process.stdout.readline() or "{}")
        except (BrokenPipeError, json.JSONDecodeError):
            reply = {}
        if "median_s" not in reply:
            return None
        self.version, self.variants[name] = reply["torch"], reply["variant"]
        return reply["median_s"], reply["cpu_median_s"]

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()


def start_peers(arguments):
    peers = []
    for given in arguments.peer:
        label, _, python = given.rpartition("=")
        try:
            peer = Peer(label or python, python, arguments.seconds, arguments.cpu, ["--no_compile"] if arguments.no_compile else [])
        except OSError as error:
            print(f"peer {given}: {error}", file=sys.stderr)
            continue
        if peer.measure("add_2x2") is None:
            print(f"peer {given}: no PyTorch that runs; left out", file=sys.stderr)
            peer.close()
            continue
        peers.append(peer)
    return peers


def median_of(rounds, label, part=0):
    return statistics.median(r[label][part] for r in rounds)


def summarise(name, rounds, peers):
    """One row from the rounds of a benchmark: {label: (wall, cpu)} each."""
    labels = [peer.label for peer in peers if all(peer.label in r for r in rounds)]
    row = {"name": name, "rounds": len(rounds), "peers": {label: median_of(rounds, label) for label in labels}}
    row["peer"] = min(labels, key=lambda label: row["peers"][label], default=None)
    row["variant"] = next((peer.variants.get(name) for peer in peers if peer.label == row["peer"]), None)
    if all("ours" in r for r in rounds):
        row["ours"] = median_of(rounds, "ours")
        walls = [r["ours"][0] for r in rounds]
        row["ours_range"] = [min(walls), max(walls)]
        if row["peer"]:
            for key, part in (("ratio", 0), ("cpu_ratio", 1)):
                ratios = [r[row["peer"]][part] / r["ours"][part] for r in rounds]
                row[key], row[key + "_range"] = statistics.median(ratios), [min(ratios), max(ratios)]
    least_ratio, most_seconds = (GOALS | OPS | HUGE).get(name, (None, None))
    row["goal"] = f"{least_ratio:g}x" if least_ratio else f"{most_seconds * 1e9:g} ns" if most_seconds else ""
    if least_ratio and "ratio" in row:
        row["met"] = row["ratio"] >= least_ratio
    elif most_seconds and "ours" in row:
        row["met"] = row["ours"] <= most_seconds
    return row


def own_ratio(row, rounds):
    """Adds the ratio of ours to another of ours, formed within rounds."""
    other, most = OWN_GOALS.get(row["name"], (None, None))
    pairs = [(mine["ours"], theirs["ours"]) for mine, theirs in zip(rounds[row["name"]], rounds.get(other, [])) if "ours" in mine and "ours" in theirs]
    if not pairs:
        return
    row["own"] = {"of": other, "most": most}
    for key, part in (("ratio", 0), ("cpu_ratio", 1)):
        row["own"][key] = statistics.median(mine[part] / theirs[part] for mine, theirs in pairs)
    row["met"] = row["own"]["ratio"] <= most and row.get("met", True)
    row["goal"] = row["goal"] or f"{most:g} of {other}"


def own_lines(rows):
    for row in rows:
        if "own" in row:
            own = row["own"]
            yield (f"- `{row['name']}` takes {own['ratio']:.3f} of our `{own['of']}` ({own['cpu_ratio']:.3f} of processor time; goal {own['most']:g}, "
                   f"{'met' if own['ratio'] <= own['most'] else 'missed'})")


def duration(seconds):
    for unit, scale in (("ns", 1e-9), ("us", 1e-6), ("ms", 1e-3)):
        if seconds < 1000 * scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds:.3g} s"


def table(rows, peers):
    yield "| benchmark | ours | " + " | ".join(peer.label for peer in peers) + " | ratio to the faster | range | of processor time | goal | |"
    yield "|---|---|" + "---|" * len(peers) + "---|---|---|---|---|"
    for row in rows:
        cells = [row["name"], duration(row["ours"]) if "ours" in row else "-"]
        cells += [duration(row["peers"][peer.label]) + (f" ({peer.variants[row['name']]})" if peer.variants.get(row["name"], "eager") != "eager" else "")
                  if peer.label in row["peers"] else "-" for peer in peers]
        cells += [f"{row['ratio']:.2f}x", "{:.2f}-{:.2f}".format(*row["ratio_range"]), f"{row['cpu_ratio']:.2f}x"] if "ratio" in row else ["-", "-", "-"]
        cells += [row["goal"], {True: "met", False: "missed"}.get(row.get("met"), "")]
        yield "| " + " | ".join(cells) + " |"


def machine():
    model = platform.processor()
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if pathlib.Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{model}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, {platform.system()} {platform.release()}"


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each measurement")
    parser.add_argument("--peer", action="append", default=None, metavar="LABEL=PYTHON", help="an interpreter with PyTorch; may be repeated")
    parser.add_argument("--cpu", type=int, default=max(os.sched_getaffinity(0)), help="processor that everything is pinned to")
    parser.add_argument("--names", default=",".join(GOALS), help='comma-separated; "ops" stands for the single ops')
    parser.add_argument("--no_compile", action="store_true", help="leave torch.compile out of the peers' variants")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--check", action="store_true", help="exit 1 when a goal is missed")
    arguments = parser.parse_args()
    if arguments.peer is None:
        arguments.peer = [f"this={sys.executable}"] + (["system=/usr/bin/python3"] if sys.executable != "/usr/bin/python3" else [])
    if arguments.rounds < 5:
        parser.error("--rounds must be at least 5: the median of fewer says little")
    return arguments


def main():
    arguments = parse()
    # Quiet threads: ours must not start more than the peers have.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    ours, peers = Ours(arguments.build, arguments.seconds, arguments.cpu), start_peers(arguments)
    names = [name for given in arguments.names.split(",") for name in (OPS if given == "ops" else [given]) if name]
    missing = [name for name in names if name not in ours.names()]
    if missing:
        print(f"not among the programs of {arguments.build}/bench: {', '.join(missing)}", file=sys.stderr)
    for peer in peers:  # prepare, so that no round pays for compilation
        for name in names:
            peer.measure(name)
    rounds = {name: [] for name in names}
    for _ in range(arguments.rounds):
        for name in names:
            result = {peer.label: measured for peer in peers if (measured := peer.measure(name))}
            if name in ours.names() and (measured := ours.measure(name)):
                result["ours"] = measured
            rounds[name].append(result)
    rows = [summarise(name, rounds[name], peers) for name in names if any(rounds[name])]
    for row in rows:
        own_ratio(row, rounds)
    print("\n".join(table(rows, peers)))
    print("\n".join(["", *own_lines(rows)]))
    print(f"\n{machine()}. " + "; ".join(f"{peer.label}: torch {peer.version}" for peer in peers)
          + f". One thread, processor {arguments.cpu}, {arguments.rounds} interleaved rounds of {arguments.seconds:g} s; medians.")
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": machine(), "rows": rows, "rounds": rounds}, indent=1) + "\n")
    for peer in peers:
        peer.close()
    compared = [row for row in rows if "ratio" in row]
    return 1 if not compared or (arguments.check and any(row.get("met") is False for row in rows)) else 0


if __name__ == "__main__":
    raise SystemExit(main())
