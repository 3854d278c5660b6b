"""The built program killed, stopped, crowded and short of disk, from outside; faults_test.cpp does the same within.

Usage: faults_test.py PLUMB [full]
"""

import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from stoppable import WAIT, Stoppable, differences, lines_of, results, steps_of  # noqa: E402
from tree import Report  # noqa: E402

STEPS, EVERY = 60, 5
SETTINGS = ("--checkpoints_total_limit 2 --train_batch_size 8 --classes 2 --samples_per_class 20 --hidden 16 "
            "--hidden_layers 1 --use_ema --report_to none --quiet --threads 1").split()
LONG = ["--max_train_steps", "1000000", "--checkpointing_steps", "50"]
STARTS = 50


def count(row, text):
    print(f"{row}: {text}")


def kills(report, training, folder, expected, chance, chains):
    """R1: chains of runs that are killed at random times and go on."""
    stopped = sum(training.kill_chain(folder / "killed", 5, expected, (), chance) for _ in range(chains))
    report.expect(stopped >= chains, f"only {stopped} of {5 * chains} kills came before the end")
    count("R1", f"{stopped} kills of running trainers in {chains} chains: 0 checkpoints lost, every end bit-equal")


def start(training, out):
    """A run that does not end by itself, once it has done a step."""
    process = subprocess.Popen([*training.command(out), *LONG], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + WAIT
    while lines_of(out) < 1 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    return process


def stops(report, training, folder, chance, times):
    """R8: SIGTERM or SIGINT at any time ends the step, saves and exits; a second one exits at once."""
    slowest, again = 0.0, 0
    for number in range(times):
        out, kind = folder / "stopped", (signal.SIGTERM, signal.SIGINT)[number % 2]
        process = start(training, out)
        time.sleep(chance.uniform(0, 0.05))
        begin = time.monotonic()
        process.send_signal(kind)
        twice = number % 4 == 3
        if twice:
            process.send_signal(signal.SIGTERM)
        error = process.communicate(timeout=WAIT)[1]
        slowest = max(slowest, time.monotonic() - begin)
        # Two signals that both wait are taken in the order of their numbers.
        codes = (130, 143) if twice else (128 + kind,)
        report.expect(process.returncode in codes and not error, f"{kind.name}: exit {process.returncode} {error}")
        if twice:
            again += 1
        else:
            report.expect(steps_of(out)[-1] == lines_of(out), f"{kind.name}: the last step is saved")
        code, error = training.run(out, "--resume_from_checkpoint", "latest", "--max_train_steps",
                                   max([*steps_of(out), 1]), "--resume_with_changes")
        report.expect(code == 0 and "warning" not in error, f"after {kind.name} the newest checkpoint is whole: {code} {error}")
        shutil.rmtree(out)
    report.expect(slowest < 5, f"the slowest stop took {slowest:.1f} s")
    count("R8", f"{times} stops at random times, {again} of them with a second signal: all exit 130 or 143 with a whole "
                f"checkpoint, the slowest after {slowest:.2f} s")


def crowd(report, training, folder):
    """R23: one of fifty runs started at once into a folder has it."""
    out = folder / "crowd"
    runs = [subprocess.Popen([*training.command(out), *LONG], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            for _ in range(STARTS)]
    deadline = time.monotonic() + WAIT
    while sum(run.poll() is None for run in runs) > 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    running = [run for run in runs if run.poll() is None]
    report.expect(len(running) == 1, f"{len(running)} of {STARTS} runs have the folder")
    while running and lines_of(out) < 1 and running[0].poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    for run in running:
        run.send_signal(signal.SIGTERM)
    refused = 0
    for run in runs:
        error = run.communicate(timeout=WAIT)[1]
        refused += run.returncode == 2 and "in use by another process" in error and error.count("\n") == 1
        report.expect(run.returncode in (2, 143), f"exit {run.returncode} {error}")
    report.expect(refused == STARTS - 1, f"{refused} of {STARTS} were refused in a line")
    report.expect(steps_of(out)[-1:] == [lines_of(out)], "the run that had the folder saved its last step")
    count("R23", f"{STARTS} starts at once into one folder: 1 runs, {refused} are refused, its checkpoint is whole")


def tmpfs(size, command):
    """The command with /tmp/plumb-full, a file system of `size` bytes, or None where no such thing may be mounted."""
    place = tempfile.mkdtemp(prefix="plumb-full-")
    script = f'mount -t tmpfs -o size={size} none {place} && cd {place} && "$@"; code=$?; ls -A {place}/out >&2; exit $code'
    try:
        return subprocess.run(["unshare", "-rm", "sh", "-c", script, "sh", *command], capture_output=True, text=True,
                              timeout=WAIT, check=False)
    except FileNotFoundError:
        return None
    finally:
        os.rmdir(place)


def full_disks(report, training, stride):
    """R3: a real file system that is full."""
    probe = tmpfs(65536, ["true"])
    if probe is None or probe.returncode != 0:
        count("R3", "no file system can be mounted here: the shim's full disk only")
        return
    refused, size = 0, 4096
    while True:
        done = tmpfs(size, [*training.command("out"), "--max_train_steps", "20"])
        if done.returncode == 0:
            break
        lines = done.stderr.split("\n")
        refused += 1
        report.expect(done.returncode in (1, 2) and "No space left on device" in lines[0],
                      f"{size} bytes: exit {done.returncode} {done.stderr}")
        partial = [name for name in lines[1:] if ".tmp-" in name or ".old-" in name]
        report.expect(not partial, f"{size} bytes: {partial} is left")
        size += stride
        if size > 1 << 20:
            report.expect(False, "a megabyte is enough")
            break
    report.expect(refused > 2, f"only {refused} runs met a full disk")
    count("R3", f"{refused} runs on file systems of 4 KiB to {size // 1024} KiB: each says that the disk is full, none "
                "leaves a partial name")


def full_streams(report, plumb, training, folder):
    """R3: what a run writes to standard output reaches its reader, or the run has failed."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([plumb, "about"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=WAIT, check=False)
        report.expect(done.returncode == 1 and "standard output" in done.stderr, f"full: exit {done.returncode} {done.stderr}")
    out = folder / "full"
    out.mkdir()
    (out / "log.jsonl").symlink_to("/dev/full")
    code, error = training.run(out)
    report.expect(code == 1 and "No space left on device" in error and error.count("\n") == 1, f"log: exit {code} {error}")


def main():
    plumb, full = str(pathlib.Path(sys.argv[1]).resolve()), sys.argv[2:] == ["full"]
    report, chance = Report(), random.Random(20240611)
    training = Stoppable(report, plumb, "train", SETTINGS, STEPS, EVERY)
    with tempfile.TemporaryDirectory(dir="/dev/shm" if pathlib.Path("/dev/shm").is_dir() else None) as name:
        folder = pathlib.Path(name)
        code, error = training.run(folder / "whole")
        report.expect(code == 0 and not error, f"unbroken run: exit {code} {error}")
        expected = results(folder / "whole")
        report.check(differences(expected, expected), "a run is like itself")
        kills(report, training, folder, expected, chance, 200 if full else 3)
        stops(report, training, folder, chance, 200 if full else 12)
        crowd(report, training, folder)
        full_disks(report, training, 4096 if full else 49152)
        full_streams(report, plumb, training, folder)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
