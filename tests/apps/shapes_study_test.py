"""`plumb shapes study` in the smallest: from nothing to the table, again without work, and each command by itself.

Usage: shapes_study_test.py PLUMB
"""

import fcntl
import json
import pathlib
import shlex
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from tree import Report  # noqa: E402

ROOT = pathlib.Path(__file__).parents[2]
RECIPE = f"""
unet_config = "{ROOT}/tests/apps/shapes_study_unet.json"
text_init = "tiny"
train_text_encoder = true
resolution = 32
max_train_steps = 4
train_batch_size = 4
checkpointing_steps = 0
"""
SETTINGS = ["--train_pictures", "24", "--num_pairs", "8", "--prompts", "6", "--images", "2", "--validation_prompts", "6",
            "--validation_images", "1", "--guidance", "1,2", "--seeds", "2", "--max_train_steps", "2", "--learning_rates", "1e-4",
            "--betas", "1", "--train_batch_size", "4", "--pair_inference_steps", "2", "--num_inference_steps", "2"]
ROWS = ["reference", "reference_negative", "continued", "clean", "ddspo", "control_equal"]


def study(plumb, folder, *more):
    run = subprocess.run([plumb, "shapes", "study", "--rows", "control_equal", "--train_config", str(folder / "recipe.toml"), *SETTINGS,
                          "--out", str(folder / "out"), *more], capture_output=True, text=True, check=False)
    return run.returncode, run.stdout, run.stderr


def stages(folder):
    return [json.loads(line) for line in (folder / "out" / "stages.jsonl").read_text(encoding="utf-8").splitlines()]


def stopped(report, plumb, folder):
    """A signal for the study alone reaches its commands, and it waits for them."""
    (folder / "long.toml").write_text(RECIPE.replace("max_train_steps = 4", "max_train_steps = 100000"), encoding="utf-8")
    command = [plumb, "shapes", "study", "--rows", "control_equal", "--train_config", str(folder / "long.toml"), *SETTINGS,
               "--out", str(folder / "stopped")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        for _ in range(600):
            if (folder / "stopped" / "reference" / "log.jsonl").exists() or process.poll() is not None:
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        report.expect(process.wait(60) == 143, f"a study that is stopped ends with {process.returncode}")
    left = [path for path in pathlib.Path("/proc").glob("[0-9]*/cmdline") if str(folder / "stopped").encode() in contents(path)]
    report.expect(not left, f"no command is left behind: {left}")
    report.expect(list((folder / "stopped" / "reference").glob("checkpoint-*")), "the training that ran has saved")
    still_written_to(report, command, folder)


def still_written_to(report, command, folder):
    """A stage whose folder another process still writes to is not started: it is named, and nothing is touched."""
    stage, elsewhere = folder / "stopped" / "reference", folder / "elsewhere"
    elsewhere.mkdir()
    before = sorted(path.name for path in stage.glob("checkpoint-*"))
    with (stage / ".lock").open("a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = subprocess.run([str(pathlib.Path(command[0]).resolve()), *command[1:]], cwd=elsewhere, capture_output=True, text=True, check=False)
    report.expect(run.returncode == 2 and "stopped/reference" in run.stderr, f"a folder in use: {run.returncode} {run.stderr[-300:]}")
    report.expect(sorted(path.name for path in stage.glob("checkpoint-*")) == before, "its checkpoints are kept")
    report.expect(not list(elsewhere.iterdir()), f"nothing is made where the study was started: {list(elsewhere.iterdir())}")


def contents(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""  # it has ended meanwhile


def from_nothing(report, plumb, folder):
    code, text, error = study(plumb, folder)
    report.expect(code == 0, f"the study ends with {code}: {error[-500:]}")
    metrics = json.loads((folder / "out" / "metrics.json").read_text(encoding="utf-8"))
    rows = {row["row"]: row for row in metrics["rows"]}
    report.expect(list(rows) == ROWS, f"rows {list(rows)}")
    report.expect(all(test["pictures"] == 12 for row in rows.values() for model in row["models"] for test in model["tests"]),
                  "every test has six prompts of two pictures")
    report.expect(len(rows["ddspo"]["models"]) == 2, "both seeds of a row are trained")
    report.expect(len({stage["stage"] for stage in stages(folder)}) == len(stages(folder)), "a stage is recorded once")
    report.expect("control_equal" in text and "DDSPO 1a" in text, "the report names rows and claims")
    report.expect((folder / "out" / "guidance.svg").exists(), "guidance.svg is there")
    negative = (folder / "out" / "pairs" / "removal_equal" / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
    report.expect(all(json.loads(line)["prompt"] == json.loads(line)["neg_prompt"] for line in negative), "c- is c in control_equal")


def again(report, plumb, folder):
    before, metrics = stages(folder), (folder / "out" / "metrics.json").read_text(encoding="utf-8")
    code, _, error = study(plumb, folder)
    report.expect(code == 0 and stages(folder) == before, f"a study that is done does nothing again: {code} {error[-300:]}")
    report.expect((folder / "out" / "metrics.json").read_text(encoding="utf-8") == metrics, "and finds the same")


def by_hand(report, plumb, folder):
    """A row's command repeats its model to the last bit."""
    command = next(stage["command"] for stage in stages(folder) if stage["stage"] == "rows/ddspo/seed1")
    words = shlex.split(command)[1:]
    out = pathlib.Path(words[words.index("--out") + 1])
    words[words.index("--out") + 1] = str(folder / "by_hand")
    run = subprocess.run([plumb, *words, "--quiet"], capture_output=True, text=True, check=False)
    report.expect(run.returncode == 0, f"{command}: {run.returncode} {run.stderr[-300:]}")
    name = "model/unet/diffusion_pytorch_model.safetensors"
    report.expect((out / name).read_bytes() == (folder / "by_hand" / name).read_bytes(), "the command gives the study's weights")


def refusals(report, plumb, folder):
    for words, expected in ((["--rows", "ddpso"], "did you mean ddspo"), (["--guidance", "2,3"], "must hold 1"), (["--seeds", "0"], "--seeds"),
                            (["--rows", "mapo", "--clean", "none"], "row mapo")):
        run = subprocess.run([plumb, "shapes", "study", *words, "--out", str(folder / "refused")], capture_output=True, text=True, check=False)
        report.expect(run.returncode == 2 and expected in run.stderr, f"{words}: {run.returncode} {run.stderr}")
    report.expect(not (folder / "refused").exists(), "what is refused leaves no folder")


def main():
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "recipe.toml").write_text(RECIPE, encoding="utf-8")
        for check in (stopped, from_nothing, again, by_hand, refusals):
            check(report, sys.argv[1], folder)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
