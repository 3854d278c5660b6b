"""Runs `plumb toy2d` as a user does: its files, names of rows, refusals, an interrupted study, a killed search.

Usage: toy2d_test.py PLUMB
"""

import json
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from tree import Report  # noqa: E402

SMALL = "--reference_steps 5 --samples_per_class 3 --sampler ddim2,ddpm3 --classes 3 --quiet".split()
METRICS = ["accuracy", "center_distance", "radial_shift", "spread", "sw2", "energy", "outliers", "overlap",
           "score_error"]


def tensors(path):
    """Name to (dtype, shape) of a safetensors file."""
    data = path.read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + size])
    return {name: (entry["dtype"], entry["shape"]) for name, entry in header.items() if name != "__metadata__"}


class Toy:
    def __init__(self, plumb, folder, report):
        self.plumb, self.folder, self.report = plumb, folder, report

    def words(self, out, *words):
        return [self.plumb, "toy2d", "--out", str(self.folder / out), *words]

    def good(self, out, *words):
        """The folder of a run that must succeed, and what it printed."""
        done = subprocess.run(self.words(out, *words), capture_output=True, timeout=120, check=False)
        self.report.expect(done.returncode == 0, f"{' '.join(words)}: exit {done.returncode} {done.stderr}")
        return self.folder / out, done.stdout.decode()

    def refused(self, *words):
        done = subprocess.run(self.words("refused", *SMALL, *words), capture_output=True, timeout=60, check=False)
        error = done.stderr.decode()
        what = f"{' '.join(words)}: exit {done.returncode}, {error!r}"
        self.report.expect(done.returncode == 2 and error.startswith("plumb: error: "), what)
        self.report.expect(error.count("\n") == 1 and not done.stdout, f"one line: {what}")
        self.report.expect(not (self.folder / "refused").exists(), f"left a folder: {what}")


def check_files(toy):
    out, _ = toy.good("files", *SMALL, "--methods", "truth,ddspo_tf,mapo", "--seeds", "2", "--first_seed", "4",
                      "--set", "ddspo_tf.steps=2", "--set", "mapo.steps=2")
    names = set(tensors(out / "samples.safetensors"))
    expected = {"centers"} | {f"{data}/none/none/seed{s}" for data in ("truth", "noisy") for s in (4, 5)}
    for sampler in ("ddim2", "ddpm3"):
        for seed in (4, 5):
            expected |= {f"{name}/none/{sampler}/seed{seed}" for name in ("reference", "reference_guided")}
            expected |= {f"{method}/{pairs}/{sampler}/seed{seed}" for method in ("ddspo_tf", "mapo")
                         for pairs in ("clean", "reference")}
    toy.report.expect(names == expected, f"tensors: {sorted(names ^ expected)}")
    shapes = {name: entry for name, entry in tensors(out / "samples.safetensors").items()}
    toy.report.expect(shapes.pop("centers") == ("F32", [3, 2]), "centers are [classes, 2]")
    toy.report.expect(all(entry == ("F32", [3, 3, 2]) for entry in shapes.values()), f"shapes: {shapes}")
    metrics = json.loads((out / "metrics.json").read_text())
    toy.report.expect({"settings", "rows", "claims"} <= set(metrics) and "study" not in metrics, "keys of metrics.json")
    for row in metrics["rows"]:
        toy.report.expect(set(row) == {"method", "pairs", "sampler", "pairs_per_class", "seeds", "metrics"}, f"{row}")
        toy.report.expect(row["seeds"] == [4, 5] and sorted(row["metrics"]) == sorted(METRICS), f"row {row}")
        toy.report.expect(all(len(m["values"]) == 2 and "mean" in m and "std" in m for m in row["metrics"].values()),
                          f"metrics of {row['method']}")
    for claim in metrics["claims"]:
        toy.report.expect(set(claim) == {"paper", "claim", "verdict", "evidence"}, f"claim {claim}")
        toy.report.expect(claim["verdict"] in ("seen", "not seen", "undetermined", "depends on"), f"claim {claim}")
    missing = [name for name in ("figure.png", "figure.svg", "methods.png") if not (out / name).stat().st_size]
    toy.report.expect(not missing, f"figures: {missing}")


def check_repeats(toy):
    """A name given twice is one row."""
    out, _ = toy.good("repeats", *SMALL, "--methods", "sft,sft", "--seeds", "1", "--sampler", "ddim2,ddim2",
                      "--pair_source", "clean,clean", "--set", "sft.steps=1")
    metrics = json.loads((out / "metrics.json").read_text())
    rows = [(row["method"], row["pairs"], row["sampler"]) for row in metrics["rows"]]
    toy.report.expect(len(rows) == len(set(rows)) == 5, f"rows: {rows}")


def check_refusals(toy):
    for words in (["--methods", "ddpo"], ["--methods", ""], ["--sampler", ","], ["--pair_source", ""],
                  ["--sampler", "ddim0"], ["--classes", "1"],
                  ["--set", "mapo.beta=-1"], ["--set", "sft.beta=1"], ["--set", "dspo.lambd=1"],
                  ["--set", "rethinking.policy=thaw"], ["--set", "rethinking.delta=nan"], ["--set", "self_dpo.lambda1=x"], ["--pair_source", "clen"]):
        toy.refused(*words)


def check_study(toy):
    small = "--reference_steps 5 --samples_per_class 2 --sampler ddim1 --classes 3 --seeds 1".split()
    run = subprocess.Popen(toy.words("stopped", *small, "--methods", "all", "--quiet"), stderr=subprocess.PIPE)
    time.sleep(3)
    run.send_signal(signal.SIGINT)
    code = run.wait(timeout=60)
    left = {path.name for path in (toy.folder / "stopped").iterdir()} - {".lock", "config.toml"}
    toy.report.expect(code == 130 and not left, f"an interrupted study: exit {code}, left {sorted(left)}")
    run.stderr.close()


def check_search(toy):
    """A search that was killed and went on selects what one without a break selects."""
    words = ["--search", "--methods", "sft", "--pair_source", "clean", "--reference_steps", "5", "--classes", "3",
             "--quiet"]
    _, whole = toy.good("whole", *words)
    log = toy.folder / "broken" / "search.jsonl"
    run = subprocess.Popen(toy.words("broken", *words), stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while run.poll() is None and time.monotonic() < deadline:
        if log.exists() and log.read_bytes().count(b"\n") >= 2:
            run.kill()
        time.sleep(0.02)
    run.wait(timeout=60)
    lines = log.read_bytes().count(b"\n")
    with log.open("ab") as file:
        file.write(b'{"key": "torn')
    _, resumed = toy.good("broken", *words)
    toy.report.expect(resumed == whole and whole.count("\n") == 1, f"after {lines} lines: {resumed!r}, not {whole!r}")
    runs = [json.loads(line)["key"] for line in log.read_text().splitlines()]
    toy.report.expect(len(runs) == len(set(runs)) == 8, f"{len(runs)} runs in the log")


def main():
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        toy = Toy(sys.argv[1], pathlib.Path(folder), report)
        for check in (check_files, check_repeats, check_refusals, check_study, check_search):
            check(toy)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
