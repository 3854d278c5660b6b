"""`--mixed_precision bf16` from outside: a run follows the f32 run, keeps f32 masters, resumes bit for bit, and writes a
model that is f32 like any other.

Usage: mixed_precision_test.py PLUMB
"""

import json
import pathlib
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from tree import Report  # noqa: E402

TRAIN = ("train --classes 3 --samples_per_class 100 --hidden 32 --hidden_layers 2 --train_batch_size 128 --seed 3 "
         "--max_train_steps 200 --checkpointing_steps 100 --use_ema --report_to none --quiet").split()
ALIGN = ("align --pairs_per_class 8 --train_batch_size 8 --gradient_accumulation_steps 2 --learning_rate 1e-4 --seed 7 "
         "--max_train_steps 40 --checkpointing_steps 20 --health_collapse 0 --report_to none --quiet").split()
RUNS = {
    "full": "--objective diffusion_dpo --ref_update_steps 10 --ref_divergence_bound 1",
    "kto": "--objective diffusion_kto --set offset=balanced",
    "lora": "--objective ddspo --policy training_free --use_lora",
}
BF16 = ("--mixed_precision", "bf16")


def run(program, folder, *arguments):
    command = [program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=250, check=False)
    return done.returncode, done.stderr


def losses(out):
    return [json.loads(line)["loss"] for line in (out / "log.jsonl").read_text(encoding="utf-8").splitlines()]


def kinds(file):
    """The dtypes in a safetensors file."""
    data = file.read_bytes()
    header = json.loads(data[8 : 8 + struct.unpack("<Q", data[:8])[0]])
    return {entry["dtype"] for name, entry in header.items() if name != "__metadata__"}


def follows(report, name, half, full):
    """Each loss of the bf16 run beside the f32 run's, relative to the mean loss: single losses come close to 0."""
    scale = sum(abs(x) for x in full) / len(full)
    worst = max(abs(a - b) for a, b in zip(half, full)) / scale
    report.expect(len(half) == len(full) and worst <= 1e-2, f"{name}: losses follow f32 ({worst:.4f})")
    report.expect(half != full, f"{name}: bf16 was really used")


def files(out):
    names = sorted(path.relative_to(out) for path in out.rglob("*.safetensors"))
    return {str(name): (out / name).read_bytes() for name in names}


def resumed(report, program, folder, name, arguments, half):
    """Stopped at the checkpoint in the middle and resumed: the same bytes."""
    out = folder / f"{name}-again"
    steps = arguments[arguments.index("--max_train_steps") + 1]
    middle = str(int(steps) // 2)
    shorter = [middle if a == steps else a for a in arguments]
    code, error = run(program, folder, *shorter, *BF16, "--lr_scheduler", "constant", "--out", out)
    report.expect(code == 0, f"{name}: the first half: exit {code} {error}")
    code, error = run(program, folder, *arguments, *BF16, "--lr_scheduler", "constant", "--out", out,
                      "--resume_from_checkpoint", "latest")
    report.expect(code == 0, f"{name}: the second half: exit {code} {error}")
    code, error = run(program, folder, *arguments, *BF16, "--lr_scheduler", "constant", "--out", half)
    report.expect(code == 0 and files(half) == files(out), f"{name}: resumed bit for bit ({code} {error})")


def main():
    program, report = str(pathlib.Path(sys.argv[1]).resolve()), Report()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for out, more in (("full", ()), ("half", BF16)):
            code, error = run(program, folder, *TRAIN, *more, "--out", folder / out)
            report.expect(code == 0, f"train {out}: exit {code} {error}")
        follows(report, "train", losses(folder / "half"), losses(folder / "full"))
        checkpoint = folder / "half/checkpoint-200"
        for file in ("model", "ema"):
            report.expect(kinds(checkpoint / f"{file}.safetensors") <= {"F32", "I64"}, f"train: {file} holds f32")
        report.expect(kinds(checkpoint / "optimizer.safetensors") <= {"F32", "F64"}, "train: the optimiser is f32")
        weights = folder / "half/model/unet/diffusion_pytorch_model.safetensors"
        report.expect(kinds(weights) == {"F32"}, "train: the model is f32")
        text = (folder / "half/config.toml").read_text(encoding="utf-8")
        report.expect('mixed_precision = "bf16"' in text, "config.toml says so")
        resumed(report, program, folder, "train", TRAIN, folder / "train-whole")

        for out, more in (("full", BF16), ("half", ())):
            code, error = run(program, folder, *TRAIN, *more, "--out", folder / out, "--resume_from_checkpoint", "latest")
            refused = code == 2 and "--mixed_precision" in error and error.count("\n") == 1
            report.expect(refused, f"{out} does not go on in another type: exit {code} {error}")

        for name, flags in RUNS.items():
            arguments = [*ALIGN, "--model", folder / "full/model", *flags.split()]
            for out, more in ((f"{name}-full", ()), (f"{name}-half", BF16)):
                code, error = run(program, folder, *arguments, *more, "--out", folder / out)
                report.expect(code == 0, f"align {out}: exit {code} {error}")
            follows(report, f"align {name}", losses(folder / f"{name}-half"), losses(folder / f"{name}-full"))
            held = kinds(folder / f"{name}-half/checkpoint-40/model.safetensors")
            report.expect(held == {"F32"}, f"align {name}: masters are f32, not {held}")
            resumed(report, program, folder, name, arguments, folder / f"{name}-whole")

        for arguments in (TRAIN, [*ALIGN, "--model", folder / "full/model"]):
            code, error = run(program, folder, *arguments, "--mixed_precision", "fp16", "--out", folder / "none")
            report.expect(code == 2 and error.count("\n") == 1 and "loss scale" in error, f"fp16: exit {code} {error}")
            report.expect(not (folder / "none").exists(), "a refusal writes nothing")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
