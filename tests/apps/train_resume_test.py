"""`plumb train` stopped in every way there is and resumed must end with the bytes of a run nobody stopped.

Usage: train_resume_test.py PLUMB
"""

import json
import pathlib
import random
import shutil
import signal
import struct
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from stoppable import Stoppable, differences, lines_of, results, steps_of  # noqa: E402
from tree import Report  # noqa: E402

STEPS = 240
EVERY = 20  # steps between checkpoints
KILLS = 6  # a chain
# 90 points in batches of 16: an epoch ends inside a batch, and a checkpoint inside an epoch.
SETTINGS = (
    "--checkpoints_total_limit 2 --train_batch_size 16 "
    "--classes 3 --samples_per_class 30 --hidden 16 --hidden_layers 2 --lr_warmup_steps 5 --max_grad_norm 1 --seed 7 "
    "--report_to none --quiet"
).split()


def signals(report, training, folder, expected):
    for number, wanted in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        out = folder / f"signal{number}"
        code, error = training.stop(out, 33, number)
        report.expect(code == wanted and not error, f"signal {number}: exit {code}, expected {wanted} {error}")
        report.expect(steps_of(out)[-1] == lines_of(out), "the step the signal came in is saved")
        code, error = training.run(out, "--resume_from_checkpoint", "latest")
        report.expect(code == 0, f"after signal {number}: exit {code} {error}")
        report.check(differences(results(out), expected), f"after signal {number}")


def broken(report, training, folder, expected):
    out = folder / "broken"
    training.stop(out, 3 * EVERY + 5, signal.SIGTERM)
    steps = steps_of(out)
    weights = out / f"checkpoint-{steps[-1]}" / "optimizer.safetensors"
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(data)
    code, error = training.run(out, "--resume_from_checkpoint", "latest")
    named = "warning" in error and str(weights) in error
    report.expect(code == 0 and named and error.count("\n") == 1, f"a broken checkpoint is named: exit {code} {error}")
    # The broken one may be left of an odd step; every other file must be as if nothing had happened.
    got = {name: value for name, value in results(out).items() if not name.startswith(f"checkpoint-{steps[-1]}/")}
    report.check(differences(got, expected), "after a broken checkpoint")
    for path in out.glob("checkpoint-*/manifest.json"):
        path.write_text("{}", encoding="utf-8")
    code, error = training.run(out, "--resume_from_checkpoint", "latest")
    report.expect(code == 2 and "no checkpoint is whole" in error, f"nothing but broken ones: exit {code} {error}")


def broken_and_later(report, training, folder, expected):
    """A broken checkpoint of a later step must not crowd out the good ones that the run writes."""
    out = folder / "later"
    training.stop(out, EVERY + 5, signal.SIGTERM)
    later = out / "checkpoint-1000"
    shutil.copytree(out / f"checkpoint-{steps_of(out)[-1]}", later)
    (later / "model.safetensors").write_bytes(b"")
    code, error = training.run(out, "--resume_from_checkpoint", "latest", "--checkpoints_total_limit", 1)
    report.expect(code == 0 and "checkpoint-1000" in error, f"a later broken checkpoint: exit {code} {error}")
    report.expect(steps_of(out) == [STEPS, 1000], f"the good checkpoint is kept, not {steps_of(out)}")
    got = {name: value for name, value in results(out).items() if not name.startswith("checkpoint-1000")}
    wanted = {name: value for name, value in expected.items() if not name.startswith(f"checkpoint-{STEPS - EVERY}/")}
    report.check(differences(got, wanted), "after a later broken checkpoint")


def tensor_file(path, points, labels):
    """A safetensors file of f32 points [N, 2] and i64 labels [N]."""
    count = len(labels)
    header = {
        "labels": {"dtype": "I64", "shape": [count], "data_offsets": [0, 8 * count]},
        "points": {"dtype": "F32", "shape": [count, 2], "data_offsets": [8 * count, 16 * count]},
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    body = struct.pack(f"<{count}q", *labels) + struct.pack(f"<{2 * count}f", *points)
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def changes(report, training, folder, chance):
    """What may change between the parts of a run, and what is refused with its name."""
    out, data = folder / "changes", folder / "data.safetensors"
    points = [chance.uniform(-2, 2) for _ in range(80)]
    tensor_file(data, points, [i % 4 for i in range(40)])
    code, error = training.run(out, "--train_data", data, "--max_train_steps", 40)
    report.expect(code == 0, f"training from a file: exit {code} {error}")
    resume = ("--resume_from_checkpoint", "latest", "--max_train_steps", 40)
    before = results(out)
    moved = folder / "moved.safetensors"
    data.rename(moved)
    code, error = training.run(out, *resume, "--train_data", moved)
    report.expect(code == 0, f"data under another name: exit {code} {error}")
    for name, value in (("learning_rate", 0.5), ("train_batch_size", 8), ("hidden", 8), ("seed", 1), ("use_ema", "true"),
                        ("prediction_type", "sample"), ("beta_end", 0.1)):
        code, error = training.run(out, *resume, "--train_data", moved, f"--{name}={value}")
        report.expect(code == 2 and f"--{name} " in error and error.count("\n") == 1, f"{name}: exit {code} {error}")
    tensor_file(data, [*points[:-1], 0.0], [i % 4 for i in range(40)])
    code, error = training.run(out, *resume, "--train_data", data)
    report.expect(code == 2 and "other training data" in error, f"other data: exit {code} {error}")
    code, error = training.run(out, "--train_data", moved)
    report.expect(code == 2 and "earlier run" in error, f"a fresh run into a used folder: exit {code} {error}")
    report.check(differences(results(out), before), "a refusal changes nothing")


def main():
    plumb = str(pathlib.Path(sys.argv[1]).resolve())
    report, chance = Report(), random.Random(20240607)
    training = Stoppable(report, plumb, "train", SETTINGS, STEPS, EVERY)
    stopped = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        whole = folder / "whole"
        for flags in ([], ["--use_ema"]):
            shutil.rmtree(whole, ignore_errors=True)
            code, error = training.run(whole, *flags)
            report.expect(code == 0 and not error, f"unbroken run: exit {code} {error}")
            expected = results(whole)
            report.expect(("checkpoint-240/ema.safetensors" in expected) == bool(flags), "an average only when asked")
            for _ in range(2):
                stopped += training.kill_chain(folder / "killed", KILLS, expected, flags, chance)
            if not flags:
                signals(report, training, folder, expected)
                broken(report, training, folder, expected)
                broken_and_later(report, training, folder, expected)
        # The kills must have hit runs under way, or this test proves nothing.
        report.expect(stopped >= 12, f"only {stopped} of {4 * KILLS} kills came before the end")
        changes(report, training, folder, chance)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
