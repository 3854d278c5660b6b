"""Our GPU benchmarks beside PyTorch's on the same card, in turn, and a table of ratios.

    python bench/compare_gpu.py [--build build] [--python python3] [--names REGEX] [--rounds 3] [--seconds 0.3] [--variants eager,graph] [--json FILE]

Each benchmark of BUILD/bench/gpu_bench is measured by rounds, once with ours and once with every variant of the peer (bench/peers/torch_gpu.py), one straight
after the other, so that a warming card meets all of them; a ratio is formed within a round and its median over rounds is reported, above 1 where ours is
faster. `%copy` is the share of the speed that `copy` of the same type reached in this run, of ops bound by memory; for the others `%linear`, of
the best product of that type. Markdown on standard output. Exit status 1 when nothing could be measured.
"""
import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys

PEER = pathlib.Path(__file__).resolve().parent / "peers" / "torch_gpu.py"
UNIT = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}


def names_of(program, pattern):
    listing = subprocess.run([program, "--benchmark_list_tests"], capture_output=True, text=True, check=True).stdout
    names = [line.strip().removesuffix("/manual_time") for line in listing.splitlines()]
    return [name for name in names if re.search(pattern, name)]


def ours(program, name, seconds):
    """{"median_s", "p95_over_p50", counters} of one benchmark, or None."""
    command = [program, f"--benchmark_filter=^{re.escape(name)}/manual_time$", "--benchmark_format=json", "--benchmark_repetitions=9",
               f"--benchmark_min_time={seconds / 9}"]
    run = subprocess.run(command, capture_output=True, text=True)
    try:
        results = [b for b in json.loads(run.stdout)["benchmarks"] if b.get("run_type") != "aggregate" and not b.get("error_occurred")]
    except (json.JSONDecodeError, KeyError):
        results = []
    if not results:
        print(f"{name}: exit {run.returncode}: {run.stderr.strip()[-300:]}", file=sys.stderr)
        return None
    times = sorted(b["real_time"] * UNIT[b["time_unit"]] for b in results)
    middle = statistics.median(times)
    return {"median_s": middle, "p95_over_p50": times[-1] / middle,
            **{key: statistics.median(b[key] for b in results) for key in ("GB/s", "TFLOP/s", "launches") if key in results[0]}}


class Peer:
    def __init__(self, python, seconds, variants):
        options = ["--variants", variants] if variants else []
        self.process = subprocess.Popen([python, PEER, "--serve", "--seconds", str(seconds), *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def measure(self, name):
        try:
            self.process.stdin.write(name + "\n")
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline() or "{}")
        except (BrokenPipeError, json.JSONDecodeError):
            return {}


def time_text(seconds):
    return f"{seconds * 1e6:.1f} us" if seconds < 1e-3 else f"{seconds * 1e3:.2f} ms"


def report(rounds, names, variants):
    """rounds: name -> list of (ours, peer's reply)."""
    medians = {name: {key: statistics.median(each[0][key] for each in rounds[name]) for key in rounds[name][0][0]} for name in names if rounds[name]}
    ceiling = {}
    for name, values in medians.items():
        kind, dtype = name.split("/")[:2]
        if kind == "copy" and "GB/s" in values:
            ceiling[dtype, "GB/s"] = max(ceiling.get((dtype, "GB/s"), 0), values["GB/s"])
        if kind == "linear" and "TFLOP/s" in values:
            ceiling[dtype, "TFLOP/s"] = max(ceiling.get((dtype, "TFLOP/s"), 0), values["TFLOP/s"])
    print("| benchmark | ours | p95/p50 | speed | share of copy or linear | " + " | ".join(f"x {variant}" for variant in variants) + " |")
    print("|---" * (5 + len(variants)) + "|")
    for name, values in medians.items():
        dtype = name.split("/")[1]
        speed = next(((key, values[key]) for key in ("GB/s", "TFLOP/s") if key in values), None)
        share = f"{100 * speed[1] / ceiling[dtype, speed[0]]:.0f}%" if speed and (dtype, speed[0]) in ceiling else ""
        if "launches" in values:
            share = f"{values['launches']:.0f} launches"
        ratios = []
        for variant in variants:
            each = [reply["variants"][variant]["median_s"] / mine["median_s"] for mine, reply in rounds[name] if variant in reply.get("variants", {})]
            ratios.append(f"{statistics.median(each):.2f} ({min(each):.2f}-{max(each):.2f})" if each else "")
        cells = [name, time_text(values["median_s"]), f"{values['p95_over_p50']:.2f}", f"{speed[1]:.0f} {speed[0]}" if speed else "", share, *ratios]
        print("| " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    parser.add_argument("--python", default="python3", help="one that has PyTorch")
    parser.add_argument("--names", default=".")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.3)
    parser.add_argument("--variants", default="eager,compile,graph")
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    program = arguments.build / "bench" / "gpu_bench"
    names = names_of(program, arguments.names)
    peer = Peer(arguments.python, arguments.seconds, arguments.variants)
    rounds = {name: [] for name in names}
    for name in names:
        for _ in range(arguments.rounds):
            mine = ours(program, name, arguments.seconds)
            reply = peer.measure(name)
            if mine:
                rounds[name].append((mine, reply))
    measured = [name for name in names if rounds[name]]
    if arguments.json:
        arguments.json.write_text(json.dumps(rounds, indent=1) + "\n")
    if not measured:
        print("nothing could be measured: no GPU?", file=sys.stderr)
        return 1
    first = rounds[measured[0]][0][1]
    print(f"{first.get('device', '?')}, PyTorch {first.get('torch', '?')}, {arguments.rounds} rounds\n")
    report(rounds, measured, arguments.variants.split(","))
    return 0


if __name__ == "__main__":
    sys.exit(main())
