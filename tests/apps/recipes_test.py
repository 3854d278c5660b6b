"""The study's recipes in apps/shapes/recipes are complete: each trains from a data set of its world, and what it writes draws prompts.

Usage: recipes_test.py PLUMB
"""

import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from tree import Report  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What is made smaller, so that two steps take seconds; all else is the recipe's.
RECIPES = {
    "tiny": ("tiny", 2_325_000, []),
    "small": ("full", 32_900_000, ["--mixed_precision", "no"]),
}


def check(report, plumb, folder, name):
    world, parameters, more = RECIPES[name]
    data, out = folder / f"{name}_data", folder / name

    def run(*words):
        done = subprocess.run([plumb, *map(str, words), "--quiet"], capture_output=True, text=True, check=False, cwd=ROOT)
        report.expect(done.returncode == 0, f"{name}: plumb {words[0]}: exit {done.returncode} {done.stderr}")
        return done.returncode == 0

    if not run("shapes", "make", "--world", world, "--num_pictures", "12", "--out", data):
        return
    if not run("train", "--config", f"apps/shapes/recipes/{name}.toml", "--train_data_dir", data, "--train_batch_size", "1", "--max_train_steps", "2",
               "--lr_warmup_steps", "1", "--checkpointing_steps", "0", "--validation_steps", "0", "--report_to", "none", *more, "--out", out):
        return
    found = json.loads((out / "metrics.json").read_text(encoding="utf-8"))["parameters"]
    report.expect(abs(found - parameters) < 0.02 * parameters, f"{name}: {found} parameters")
    run("sample", "--model", out / "model", "--prompt", "a red circle", "--sampler", "ddim", "--num_inference_steps", "1", "--out", folder / f"{name}_drawn")


def main():
    plumb = str(pathlib.Path(sys.argv[1]).resolve())
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        for recipe in sorted(path.stem for path in (ROOT / "apps/shapes/recipes").glob("*.toml")):
            if recipe in RECIPES:
                check(report, plumb, pathlib.Path(name), recipe)
        report.expect(all((ROOT / f"apps/shapes/recipes/{recipe}.toml").exists() for recipe in RECIPES), "every recipe is there")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
