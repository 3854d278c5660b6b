"""`plumb train --train_data_dir` on generated pictures: stops, resumes bit-exactly, and does not depend on threads, workers or
the way a step is cut into batches.

Usage: train_pictures_test.py PLUMB
"""

import json
import pathlib
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import pictures  # noqa: E402
from stoppable import Stoppable, differences, lines_of, results, steps_of  # noqa: E402
from tree import Report  # noqa: E402

STEPS, EVERY = 9, 3
UNET = {
    "_class_name": "UNet2DModel", "sample_size": 16, "in_channels": 3, "out_channels": 3, "layers_per_block": 1,
    "block_out_channels": [8, 16], "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
    "up_block_types": ["AttnUpBlock2D", "UpBlock2D"], "norm_num_groups": 4, "attention_head_dim": 8, "dropout": 0.1,
}
TEXT_UNET = {
    "_class_name": "UNet2DConditionModel", "sample_size": 16, "in_channels": 3, "out_channels": 3, "layers_per_block": 1,
    "block_out_channels": [8, 16], "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"],
    "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"], "norm_num_groups": 4, "attention_head_dim": 4, "cross_attention_dim": 64,
}


def settings(data, unet):
    return ["--train_data_dir", data, "--unet_config", unet, "--train_batch_size", "4", "--random_flip", "--seed", "3", "--use_ema",
            "--noise_offset", "0.05", "--snr_gamma", "5", "--learning_rate", "1e-3", "--quiet", "--report_to", "none"]


def losses(out):
    return [json.loads(line)["loss"] for line in (out / "log.jsonl").read_text(encoding="utf-8").splitlines()]


def ends(found):
    """Without checkpoints on the way: which are kept depends on the step that the signal came in."""
    return {name: value for name, value in found.items() if not name.startswith("checkpoint-") or name.startswith(f"checkpoint-{STEPS}/")}


def resuming(report, training, folder, expected):
    for number in (signal.SIGTERM, signal.SIGKILL):
        out = folder / f"signal{number}"
        training.stop(out, 5, number, "--threads", "1", "--dataloader_num_workers", "0")
        code, error = training.run(out, "--resume_from_checkpoint", "latest", "--threads", "2", "--dataloader_memory", "0")
        report.expect(code == 0, f"after signal {number}: exit {code} {error}")
        report.check(differences(ends(results(out)), ends(expected)), f"after signal {number}")


def accumulation(report, training, folder, expected):
    """Four pictures at once and twice two see the same draws."""
    out = folder / "accumulated"
    code, error = training.run(out, "--train_batch_size", "2", "--gradient_accumulation_steps", "2")
    report.expect(code == 0, f"accumulation: exit {code} {error}")
    worst = max(abs(a - b) / b for a, b in zip(losses(out), expected))
    report.expect(worst < 1e-4, f"accumulation changes the loss by {worst}")


def with_text(report, plumb, folder):
    """A new tokenizer and text encoder, trained with the network: stopped and resumed, continued, sampled."""
    data, unet = folder / "captioned", folder / "text_unet.json"
    pictures.write(data, count=10, size=16)
    unet.write_text(json.dumps(TEXT_UNET), encoding="utf-8")
    words = ["--train_data_dir", data, "--train_batch_size", "2", "--gradient_accumulation_steps", "2", "--train_text_encoder", "--use_ema",
             "--proportion_empty_prompts", "0.3", "--quiet", "--report_to", "none", "--learning_rate", "1e-3"]
    new = ["--unet_config", unet, "--text_init", "tiny"]
    training = Stoppable(report, plumb, "train", [*map(str, words + new)], STEPS, EVERY)
    whole = folder / "text"
    code, error = training.run(whole, "--validation_steps", "4", "--validation_prompts", "a red circle", "--num_inference_steps", "2")
    report.expect(code == 0 and not error, f"training with text: exit {code} {error}")
    expected = results(whole)
    index = json.loads((whole / "model" / "model_index.json").read_text(encoding="utf-8"))
    report.expect(index["_class_name"] == "TextToPixelsPipeline" and index["text_encoder"] == ["transformers", "CLIPTextModel"], f"index: {index}")
    report.expect((whole / "samples" / "step-00000008.png").exists() and not (whole / "cache").exists(), "samples of prompts, and no cached text")
    out = folder / "text_resumed"
    training.stop(out, 5, signal.SIGKILL, "--threads", "1")
    code, error = training.run(out, "--resume_from_checkpoint", "latest", "--threads", "2")
    report.expect(code == 0, f"with text, after SIGKILL: exit {code} {error}")
    report.check(differences(ends(results(out)), ends(expected)), "with text, after SIGKILL")
    once = folder / "text_once"
    training.run(once, "--train_batch_size", "4", "--gradient_accumulation_steps", "1")
    worst = max(abs(a - b) / b for a, b in zip(losses(once), losses(whole)))
    report.expect(worst < 1e-4, f"accumulation with text changes the loss by {worst}")
    more = folder / "text_more"
    done = subprocess.run([plumb, "train", *map(str, words), "--pretrained_model_name_or_path", whole / "model", "--max_train_steps", "2", "--out", more],
                          capture_output=True, text=True, check=False)
    changed = [part for part in ("unet", "text_encoder", "tokenizer") for path in (more / "model" / part).glob("[vmd]*.[sj]*")
               if path.name != "config.json" and path.read_bytes() != (whole / "model" / part / path.name).read_bytes()]
    report.expect(done.returncode == 0 and changed == ["unet", "text_encoder"], f"continued: {changed} {done.stderr}")
    drawn = folder / "text_drawn"
    done = subprocess.run([plumb, "sample", "--model", more / "model", "--prompt", "a red circle", "--num_inference_steps", "2", "--quiet",
                           "--sampler", "ddim", "--guidance_scale", "2", "--out", drawn], capture_output=True, text=True, check=False)
    report.expect(done.returncode == 0 and (drawn / "00000.png").exists(), f"sampling: {done.stderr}")
    done = subprocess.run([plumb, "inspect", more / "model"], capture_output=True, text=True, check=False)
    report.expect("TextToPixelsPipeline, whole" in done.stdout and "each component by itself" in done.stdout and "family" not in done.stdout,
                  f"inspect: {done.stdout} {done.stderr}")
    return [("a frozen new text encoder", ["--train_data_dir", data, *new], "add --train_text_encoder"),
            ("two text encoders", ["--train_data_dir", data, "--pretrained_model_name_or_path", whole / "model", "--text_init", "tiny", "--train_text_encoder"],
             "leave out one of"),
            ("a network that looks at no text", ["--train_data_dir", data, "--unet_config", folder / "unet.json", "--text_init", "tiny", "--train_text_encoder"],
             "no labels"),
            ("other features", ["--train_data_dir", data, "--unet_config", unet, "--text_init", "small", "--train_text_encoder"], "128 features")]


def refusals(report, plumb, folder, data, unet, more):
    out = folder / "refused"
    for what, flags, words in (
        ("no such folder", ["--train_data_dir", folder / "none"], "there is nothing"),
        ("two networks", ["--train_data_dir", data, "--unet_config", unet, "--unet_init", "tiny"], "exclude each other"),
        ("a size the network cannot halve", ["--train_data_dir", data, "--unet_config", unet, "--resolution", "15"], "multiple of 2"),
        ("an unknown network", ["--train_data_dir", data, "--unet_init", "huge"], "--unet_init"),
        *more,
    ):
        done = subprocess.run([plumb, "train", *map(str, flags), "--out", out], capture_output=True, text=True, check=False)
        report.expect(done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1,
                      f"{what}: exit {done.returncode} {done.stderr}")
    report.expect(not out.exists(), "a refusal leaves no folder")


def checking(report, plumb, folder):
    """data check on good pictures, and with one cut short and one twice."""
    data = folder / "checked"
    pictures.write(data, count=6, size=20)
    words = [plumb, "data", "check", str(data), "--json"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)
    report.expect(done.returncode == 0 and found["pictures"] == 6 and found["sizes"] == [{"width": 20, "height": 20, "pictures": 6}]
                  and found["captions"]["there"] and found["broken"] == [], f"data check: {done}")
    (data / "00001.png").write_bytes((data / "00000.png").read_bytes())
    (data / "00004.png").write_bytes((data / "00004.png").read_bytes()[:-20])
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)
    report.expect(done.returncode == 2 and "1 of 6" in done.stderr and "00004.png" in found["broken"][0]
                  and len(found["duplicates"]) == 1, f"data check of a broken picture: {done}")
    done = subprocess.run(words[:-1], capture_output=True, text=True, check=False)
    report.expect("imagefolder: 6 pictures" in done.stdout and "broken: 1" in done.stdout, f"data check for people: {done.stdout}")


def main():
    plumb = str(pathlib.Path(sys.argv[1]).resolve())
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        data, unet = folder / "data", folder / "unet.json"
        pictures.write(data, count=10, size=20, labels=True)
        unet.write_text(json.dumps(UNET | {"num_class_embeds": 8}), encoding="utf-8")
        training = Stoppable(report, plumb, "train", settings(str(data), str(unet)), STEPS, EVERY)
        whole = folder / "whole"
        code, error = training.run(whole, "--validation_steps", "4", "--num_inference_steps", "2", "--num_validation_images", "4")
        report.expect(code == 0 and not error, f"unbroken run: exit {code} {error}")
        expected = results(whole)
        report.expect(steps_of(whole) == [6, 9] and lines_of(whole) == STEPS, "checkpoints and log are there")
        report.expect("model/unet/diffusion_pytorch_model.safetensors" in expected, "a diffusers folder is written")
        report.expect([path.name for path in sorted((whole / "samples").glob("*"))] == ["step-00000004.png", "step-00000008.png"],
                      "grids of samples are drawn")
        repeated = folder / "repeated"
        code, error = training.run(repeated)
        report.check(differences(results(repeated), expected), "samples on the way change nothing")
        resuming(report, training, folder, expected)
        accumulation(report, training, folder, losses(whole))
        more = with_text(report, plumb, folder)
        refusals(report, plumb, folder, data, unet, more)
        checking(report, plumb, folder)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
