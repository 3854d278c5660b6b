"""The verbs that train and sample on a CUDA device from outside, beside the same runs on the CPU: close numbers, the same
bits when repeated or resumed, and checkpoints of either device that go on on the other.

Usage: device_runs_test.py PLUMB  (skipped where PLUMB finds no CUDA device)
"""

import json
import pathlib
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import pictures  # noqa: E402
from tree import Report  # noqa: E402

SIZES = "--classes 3 --samples_per_class 40 --hidden 16 --hidden_layers 2 --train_batch_size 24".split()
TRAIN = ("train --seed 3 --max_train_steps 12 --checkpointing_steps 6 --lr_scheduler constant --max_grad_norm 1 --use_ema "
         "--report_to none --quiet").split() + SIZES
ALIGN = ("align --model model --pairs_per_class 4 --train_batch_size 3 --gradient_accumulation_steps 2 --learning_rate 1e-4 "
         "--lr_scheduler constant --seed 7 --max_train_steps 6 --checkpointing_steps 3 --health_collapse 0 "
         "--divergence_steps 2 --log_bins_steps 2 --report_to none --quiet").split()
PICTURES = ("train --train_data_dir pictures --unet_config unet.json --resolution 8 --train_batch_size 1 --random_flip "
            "--gradient_accumulation_steps 2 --max_train_steps 5 --noise_offset 0.1 --snr_gamma 5 --use_ema --report_to none --quiet").split()
UNET = {"_class_name": "UNet2DModel", "sample_size": 8, "layers_per_block": 1, "block_out_channels": [8, 16], "norm_num_groups": 4,
        "down_block_types": ["DownBlock2D", "AttnDownBlock2D"], "up_block_types": ["AttnUpBlock2D", "UpBlock2D"],
        "attention_head_dim": 8, "num_class_embeds": 8}
OBJECTIVES = {
    "sft": "--objective sft",
    "dpo": "--objective diffusion_dpo --timestep_sampling aware --reward_scale minmax --validation_steps 2 "
           "--num_validation_samples 6",
    "kto": "--objective diffusion_kto --wanted_share 0.8 --set offset=balanced --statistics effective_batch",
    "kto mean": "--objective diffusion_kto",
    "kto rolled": "--objective diffusion_kto --set offset=mismatched --statistics effective_batch",
    "mapo": "--objective mapo",
    "dspo": "--objective dspo --set time_weights=paper --ref_weights ddpm --ref_update_steps 2 --ref_divergence_bound 1",
    "dspo_e": "--objective dspo_e",
    "dspo_ref": "--objective dspo_ref --perturb_init 0.05 --random_condition sigmoid",
    "dspo_xl": "--objective dspo_xl --statistics effective_batch",
    "ddspo": "--objective ddspo --policy training_free --independent_noise",
    "oracle": "--objective ddspo --policy oracle",
    "lora": "--objective ddspo --policy data_driven --dd_max_train_steps 2 --use_lora --ref_update_steps 2 "
            "--ref_divergence_bound 1",
    "self_dpo": "--objective self_dpo --pair_source model --num_inference_steps 3",
}
WHOLE = ("dpo", "lora", "dspo")  # also resumed, and repeated


class Runs:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def __call__(self, *arguments):
        command = [self.program, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, timeout=280, check=False)
        return done.returncode, done.stderr

    def expect(self, report, *arguments):
        code, error = self(*arguments)
        report.expect(code == 0, f"{' '.join(map(str, arguments))}: exit {code} {error}")


def logged(out):
    """(key, value) of every number of the log but times, in order."""
    found = []
    for line in (out / "log.jsonl").read_text(encoding="utf-8").splitlines():
        found += [(key, value) for key, value in json.loads(line).items() if not key.endswith("_s")]
    return found


def tensors(file):
    """name -> list of numbers, of the floating and i64 tensors of a safetensors file."""
    data = file.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header, found = json.loads(data[8 : 8 + size]), {}
    for name, entry in header.items():
        code = {"F32": "f", "F64": "d", "I64": "q"}.get(entry.get("dtype"))
        if code:
            begin, end = (8 + size + at for at in entry["data_offsets"])
            found[name] = struct.unpack(f"<{(end - begin) // struct.calcsize(code)}{code}", data[begin:end])
    return found


def close(a, b, tolerance):
    """Whether a and b differ by no more than the tolerance, relative above 1. NaN equals NaN alone."""
    if a is None or b is None or a != a or b != b:
        return (a is None) == (b is None) and (a != a) == (b != b)
    return abs(a - b) <= tolerance * max(1.0, abs(a), abs(b))


def same_log(report, what, got, wanted, tolerance):
    pairs = list(zip(logged(got), logged(wanted)))
    bad = [(x, y) for x, y in pairs if x[0] != y[0] or not close(x[1], y[1], tolerance)]
    report.expect(pairs and len(logged(got)) == len(logged(wanted)) and not bad, f"{what}: logs are close; {bad[:3]}")


def same_tensors(report, what, got, wanted, tolerance):
    a, b = tensors(got), tensors(wanted)
    bad = [name for name in b if name not in a or len(a[name]) != len(b[name])
           or not all(close(x, y, tolerance) for x, y in zip(a[name], b[name]))]
    report.expect(b and a.keys() == b.keys() and not bad, f"{what}: tensors are close; {bad[:3]}")


def files(out):
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*.safetensors"))}


def repeated(report, runs, name, arguments, half):
    """Twice the same bytes; and again from a checkpoint in the middle, on the device and on the CPU."""
    folder = runs.folder
    out, again, part, eager = (folder / f"{name} {what}" for what in ("cuda", "again", "part", "eager"))
    runs.expect(report, *arguments, "--device", "cuda:0", "--out", again)
    report.expect(files(out) == files(again), f"{name}: the same bytes once more")
    runs.expect(report, *arguments, "--device", "cuda", "--cuda_graph=false", "--out", eager)
    report.expect(files(out) == files(eager), f"{name}: a captured step has the bits of one that is not")
    # The shorter run is the first half of the longer: the rate does not depend on the number of steps.
    whole = str(2 * half)
    shorter = [str(half) if word == whole and arguments[i - 1] == "--max_train_steps" else word
               for i, word in enumerate(arguments)]
    for device in ("cuda", "cpu"):
        runs.expect(report, *shorter, "--device", "cuda", "--out", part)
        runs.expect(report, *arguments, "--device", device, "--out", part, "--resume_from_checkpoint", "latest")
        if device == "cuda":
            report.expect(files(out) == files(part), f"{name}: resumed bit for bit")
        else:
            same_log(report, f"{name}: gone on on the CPU", part, out, 1e-3)
        for path in sorted(part.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()


def train(report, runs):
    for device in ("cpu", "cuda"):
        runs.expect(report, *TRAIN, "--device", device, "--out", runs.folder / f"train {device}")
    cpu, cuda = runs.folder / "train cpu", runs.folder / "train cuda"
    same_log(report, "train", cuda, cpu, 1e-4)
    for file in ("model/unet/diffusion_pytorch_model.safetensors", "checkpoint-12/ema.safetensors",
                 "checkpoint-12/optimizer.safetensors"):
        same_tensors(report, f"train: {file}", cuda / file, cpu / file, 1e-4)
    report.expect('device = "cuda"' in (cuda / "config.toml").read_text(encoding="utf-8"), "config.toml names the device")
    repeated(report, runs, "train", TRAIN, 6)
    (cpu / "model").rename(runs.folder / "model")


def train_pictures(report, runs):
    """Pictures through a UNet: three steps as they are, then a captured one replayed."""
    pictures.write(runs.folder / "pictures", count=6, size=12, labels=True)
    (runs.folder / "unet.json").write_text(json.dumps(UNET), encoding="utf-8")
    for name, flags in (("cpu", "--device cpu"), ("cuda", "--device cuda"), ("eager", "--device cuda --cuda_graph=false")):
        runs.expect(report, *PICTURES, *flags.split(), "--out", runs.folder / f"pictures {name}")
    cpu, cuda, eager = (runs.folder / f"pictures {name}" for name in ("cpu", "cuda", "eager"))
    same_log(report, "pictures", cuda, cpu, 1e-4)
    report.expect(files(cuda) == files(eager), "pictures: a captured step has the bits of one that is not")
    drawn = [runs.folder / f"drawn {device}" for device in ("cuda", "cpu")]
    for device, out in zip(("cuda", "cpu"), drawn):
        runs.expect(report, "sample", "--model", cpu / "model", "--num_images", 3, "--sampler", "euler_ancestral", "--num_inference_steps", 4,
                    "--save_tensors", "--quiet", "--device", device, "--out", out)
    same_tensors(report, "sampled pictures", *(out / "samples.safetensors" for out in drawn), 1e-4)
    runs.expect(report, "sample", "--model", cpu / "model", "--mixed_precision", "bf16", "--num_inference_steps", 2, "--quiet", "--device", "cuda",
                "--out", runs.folder / "drawn bf16")


def half_precision(report, runs):
    for device in ("cpu", "cuda"):
        for name, arguments in (("train", TRAIN), ("align", ALIGN)):
            runs.expect(report, *arguments, "--mixed_precision", "bf16", "--device", device, "--out",
                        runs.folder / f"{name} bf16 {device}")
    for name in ("train", "align"):
        got, wanted = (losses(runs.folder / f"{name} bf16 {device}") for device in ("cuda", "cpu"))
        scale = sum(map(abs, wanted)) / len(wanted)
        worst = max(abs(a - b) for a, b in zip(got, wanted)) / scale
        report.expect(len(got) == len(wanted) and worst <= 1e-2, f"{name} in bf16: losses are close ({worst:.4f})")


def losses(out):
    return [value for key, value in logged(out) if key == "loss"]


def sample(report, runs):
    for name, flags in {"ddim": "--num_inference_steps 4",
                        "ddpm": "--sampler ddpm --num_inference_steps 4 --guidance_scale 2 --class 0 --negative_class 1",
                        "torch": "--rng torch --num_inference_steps 3 --eta 0.5"}.items():
        for device in ("cpu", "cuda"):
            runs.expect(report, "sample", "--model", "model", "--num_samples", 7, "--quiet", *flags.split(), "--device", device,
                        "--out", runs.folder / f"{name} {device}")
        same_tensors(report, f"sample {name}", *(runs.folder / f"{name} {d}/samples.safetensors" for d in ("cuda", "cpu")), 1e-4)
    for device in ("cpu", "cuda"):
        runs.expect(report, "pairs", "--model", "model", "--pairs_per_class", 2, "--num_inference_steps", 3, "--quiet", "--device",
                    device, "--out", runs.folder / f"pairs {device}")
    same_tensors(report, "pairs", *(runs.folder / f"pairs {d}/pairs.safetensors" for d in ("cuda", "cpu")), 1e-4)


def align(report, runs):
    for name, flags in OBJECTIVES.items():
        arguments = [*ALIGN, *flags.split()]
        for device in ("cpu", "cuda"):
            runs.expect(report, *arguments, "--device", device, "--out", runs.folder / f"{name} {device}")
        cpu, cuda = runs.folder / f"{name} cpu", runs.folder / f"{name} cuda"
        same_log(report, name, cuda, cpu, 1e-3)
        same_tensors(report, name, *(out / "checkpoint-6/model.safetensors" for out in (cuda, cpu)), 1e-4)
        if name in WHOLE:
            repeated(report, runs, name, arguments, 3)


def toy2d(report, runs):
    for device in ("cpu", "cuda"):
        runs.expect(report, "toy2d", "--methods", "diffusion_dpo,ddspo_tf,ddspo_oracle", "--pair_source", "clean,reference",
                    "--sampler", "ddim5", "--seeds", 1, "--reference_steps", 10, "--samples_per_class", 6,
                    "--set", "diffusion_dpo.steps=3", "--set", "ddspo_tf.steps=3", "--set", "ddspo_oracle.steps=3",
                    "--quiet", "--device", device, "--out", runs.folder / f"toy {device}")
    same_tensors(report, "toy2d", *(runs.folder / f"toy {d}/samples.safetensors" for d in ("cuda", "cpu")), 1e-4)


def trace(report, runs):
    for flags in ("", "--forward", "--objective diffusion_kto", "--objective dspo --set time_weights=paper"):
        runs.expect(report, "trace", "--batch", 8, "--hidden", 16, "--steps", 1, "--warmup", 1, "--find_nan", "--quiet", *flags.split(),
                    "--device", "cuda", "--out", runs.folder / "trace")
    ops = json.loads((runs.folder / "trace/ops.json").read_text(encoding="utf-8"))
    report.expect(ops["memory"]["peak_bytes"] > 0, "trace: the device's memory is watched")
    runs.expect(report, "trace", "--network", "unet", "--hidden", 32, "--hidden_layers", 1, "--side", 8, "--batch", 2, "--steps", 1,
                "--warmup", 0, "--quiet", "--device", "cuda", "--out", runs.folder / "trace")
    for verb in ("explain", "plan", "merge"):
        flags = {"explain": "--model x", "merge": "--model x --adapter y"}.get(verb, "").split()
        code, error = runs(verb, "--device", "cuda", *flags)
        report.expect(code == 2 and error.count("\n") == 1 and "cpu" in error, f"{verb} refuses a device: exit {code} {error}")


def main():
    program, report = str(pathlib.Path(sys.argv[1]).resolve()), Report()
    with tempfile.TemporaryDirectory() as name:
        runs = Runs(program, pathlib.Path(name))
        code, error = runs("op", "--list", "--device", "cuda")
        if code != 0:
            print(f"no CUDA device: {error.strip()}")
            report.skipped += 1
            return report.finish()
        parts = (train, train_pictures, sample, align, half_precision, toy2d, trace)
        for part in parts:
            if len(sys.argv) < 3 or part is train or part.__name__ in sys.argv[2:]:
                part(report, runs)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
