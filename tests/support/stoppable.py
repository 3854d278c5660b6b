"""Runs of a training verb that are stopped in every way there is and resumed."""

import json
import shutil
import signal
import subprocess
import time

WAIT = 60  # seconds after which something hangs
TIMES = ("samples_per_s", "step_s", "data_s")  # what two runs of the same bits may differ in


def steps_of(out):
    """Steps of the checkpoints in the folder, ascending."""
    return sorted(int(path.name.split("-")[1]) for path in out.glob("checkpoint-*"))


def lines_of(out):
    log = out / "log.jsonl"
    return log.read_bytes().count(b"\n") if log.exists() else 0


def results(out):
    """Everything that must not depend on how the run got here: bytes of files, and the log without times."""
    files = [path for part in ("model", "adapter") for path in (out / part).rglob("*.*")]
    files += out.glob("checkpoint-*/*")
    found = {str(path.relative_to(out)): path.read_bytes() for path in files if path.is_file()}
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    found["log.jsonl"] = [{key: value for key, value in line.items() if key not in TIMES} for line in lines]
    return found


def differences(got, expected):
    names = sorted(set(got) | set(expected))
    return [f"{name} differs" for name in names if got.get(name) != expected.get(name)]


class Stoppable:
    """A verb with fixed settings. `steps` is its length, `every` the steps between its checkpoints."""

    def __init__(self, report, plumb, verb, settings, steps, every):
        self.report, self.steps, self.every = report, steps, every
        self.words = [plumb, verb, *settings, "--max_train_steps", str(steps), "--checkpointing_steps", str(every)]

    def command(self, out, *more):
        return [*self.words, "--out", str(out), *map(str, more)]

    def run(self, out, *more):
        """(exit code, standard error) of a run to its end."""
        done = subprocess.run(self.command(out, *more), capture_output=True, text=True, timeout=WAIT, check=False)
        return done.returncode, done.stderr

    def stop(self, out, after, number, *more):
        """Starts a run and sends it a signal once its log has `after` lines. Returns (exit code, standard error)."""
        process = subprocess.Popen(self.command(out, *more), stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + WAIT
        while process.poll() is None and time.monotonic() < deadline and lines_of(out) < after:
            time.sleep(0.0005)
        process.send_signal(number)
        error = process.communicate(timeout=WAIT)[1]
        return process.returncode, error

    def kill_chain(self, out, kills, expected, flags, chance):
        """Kills at random steps, resumes with another number of threads each time, and compares the end. Returns how
        many kills came before the end."""
        report, newest, stopped = self.report, 0, 0
        for kill in range(kills):
            lines = lines_of(out)
            target = chance.randrange(lines - self.every, self.steps) if lines > self.every else chance.randrange(self.steps)
            code, error = self.stop(out, target, signal.SIGKILL, *flags, "--threads", 1 + kill % 3,
                                    "--resume_from_checkpoint", "latest")
            report.expect(code in (0, -signal.SIGKILL) and not error, f"kill {kill} at {target}: exit {code} {error}")
            stopped += code == -signal.SIGKILL
            now = max(steps_of(out), default=0)
            report.expect(now >= newest, f"kill {kill}: checkpoint-{newest} was lost")
            newest = now
        (out / ".checkpoint-9.tmp-4194305").mkdir(parents=True, exist_ok=True)  # as a killed process leaves it
        code, error = self.run(out, *flags, "--resume_from_checkpoint", "latest")
        report.expect(code == 0 and not error, f"last part: exit {code} {error}")
        report.check(differences(results(out), expected), f"after kills {' '.join(map(str, flags))}")
        report.expect(not list(out.glob(".*tmp*")), "leftovers of a killed run are removed")
        shutil.rmtree(out)
        return stopped
