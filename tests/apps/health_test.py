"""Runs that a health rule must stop: exit 3, one line naming rule, step, value, limit and a checkpoint that goes on.

Usage: health_test.py PLUMB
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from tree import Report  # noqa: E402

TRAIN = ("--train_batch_size 16 --classes 3 --samples_per_class 30 --hidden 16 --hidden_layers 2 --seed 7 "
         "--report_to none --quiet --lr_scheduler constant_with_warmup").split()
# A rate that grows by 0.001 a step: sooner or later the biases alone take the network out of all proportion.
GROWING = ("--lr_warmup_steps 1000000 --learning_rate 1000 --max_train_steps 20000 "
           "--checkpoints_total_limit 0 --health_window 20").split()
MESSAGE = re.compile(r"plumb: error: (\w+): (\w+): .* at step (\d+).* \(limit ([\d.]+)\); (.*?); .*\n")


class Runs:
    """Runs a verb with fixed flags into folders of its own."""

    def __init__(self, plumb, folder, report):
        self.plumb, self.folder, self.report, self.count = plumb, folder, report, 0

    def __call__(self, verb, *words):
        done = subprocess.run([self.plumb, verb, *map(str, words)], capture_output=True, text=True, cwd=self.folder,
                              timeout=120, check=False)
        return done.returncode, done.stderr

    def stopped(self, verb, rule, *words):
        """A run that the rule must stop. Returns (step, checkpoint named or None)."""
        self.count += 1
        code, error = self(verb, *words, "--out", f"run{self.count}")
        found = MESSAGE.fullmatch(error)
        what = f"{verb} {' '.join(map(str, words))}: exit {code}, {error!r}"
        self.report.expect(code == 3 and found and found[1] == verb and found[2] == rule, what)
        if not found:
            return 0, None
        lines = (self.folder / f"run{self.count}/log.jsonl").read_text(encoding="utf-8").splitlines()
        self.report.expect(json.loads(lines[-1])["step"] == int(found[3]), f"the log ends with the bad step: {what}")
        named = re.fullmatch(r"the last good checkpoint is (\S+)", found[5])
        return int(found[3]), named and named[1]

    def goes_on(self, verb, checkpoint, step, *words):
        """The checkpoint must verify, and lead to the step before the one that was stopped."""
        self.report.expect(checkpoint, f"{verb}: a checkpoint is named")
        if not checkpoint:
            return
        done = subprocess.run([self.plumb, "inspect", checkpoint], capture_output=True, cwd=self.folder, check=False)
        self.report.expect(done.returncode == 0, f"{checkpoint} verifies: {done.stderr}")
        reached = int(checkpoint.rsplit("-", 1)[1])
        self.report.expect(reached < step, f"{checkpoint} is from before step {step}")
        code, error = self(verb, *words, "--resume_from_checkpoint", checkpoint, "--max_train_steps", reached + 1,
                           "--out", f"on{self.count}")
        self.report.expect(code == 0, f"{checkpoint} goes on: exit {code} {error}")
        model = self.folder / f"on{self.count}/model/model_index.json"
        self.report.expect(model.exists(), f"{checkpoint} goes on to a model")


def check_train(runs):
    # The first step of a warm-up has rate 0; the second breaks the weights, the third shows it.
    words = [*TRAIN, "--lr_warmup_steps", 5, "--learning_rate", 1e18, "--checkpointing_steps", 1]
    step, checkpoint = runs.stopped("train", "nan", *words)
    runs.report.expect(step == 3 and checkpoint.endswith("checkpoint-1"), f"checkpoint-2 is poisoned: {checkpoint}")
    runs.goes_on("train", checkpoint, step, *words)
    code, error = runs("train", *words, "--health_nan", 4, "--health_collapse", 0, "--out", "more")
    runs.report.expect(code == 3 and "at step 6, not finite for 4 step(s) (limit 4)" in error, f"{code} {error}")
    words = [*TRAIN, *GROWING, "--checkpointing_steps", 50]
    step, checkpoint = runs.stopped("train", "collapse", *words)
    runs.goes_on("train", checkpoint, step, *words)
    whole = step
    # The way out: the same run from there, more gently.
    calm = [*words, "--resume_from_checkpoint", checkpoint, "--learning_rate", 1, "--max_train_steps", step + 5]
    code, error = runs("train", *calm, "--out", "calm")
    runs.report.expect(code == 2 and "--learning_rate 1000.0 (this run: 1.0)" in error, f"not unasked: {code} {error}")
    calm = [word for word in calm if word != "--quiet"]
    code, error = runs("train", *calm, "--resume_with_changes", "--out", "calm")
    runs.report.expect(code == 0 and "resuming with --learning_rate 1.0 (was 1000.0)" in error, f"calm: {code} {error}")
    code, error = runs("train", *calm, "--resume_with_changes", "--samples_per_class", 40, "--out", "other")
    runs.report.expect(code == 2 and "other training data" in error, f"other data are refused: {code} {error}")
    # Interrupted on the way it stops at the same step, and with the rule switched off it does not stop there.
    code, error = runs("train", *words, "--resume_from_checkpoint", f"run{runs.count}/checkpoint-{(step - 2) // 50 * 50}",
                       "--out", "resumed")
    runs.report.expect(code == 3 and f"at step {whole} " in error, f"stops at step {whole}: {code} {error}")
    code, error = runs("train", *words, "--health_collapse", 0, "--max_train_steps", step + 5, "--out", "off")
    runs.report.expect(code == 0, f"the rule is off: exit {code} {error}")


def check_align(runs):
    report = runs.report
    code, error = runs("train", *TRAIN, "--max_train_steps", 300, "--out", "trained")
    report.expect(code == 0, f"a model to begin with: exit {code} {error}")
    common = ["--model", "trained/model", "--train_batch_size", 16, "--report_to", "none", "--quiet"]
    words = [*common, "--learning_rate", 1e20, "--lr_warmup_steps", 5, "--max_grad_norm", 0, "--checkpointing_steps", 1]
    step, checkpoint = runs.stopped("align", "nan", *words)
    report.expect(step == 3 and checkpoint and checkpoint.endswith("checkpoint-1"), f"step {step}, {checkpoint}")
    runs.goes_on("align", checkpoint, step, *words)
    words = [*common, *GROWING, "--checkpointing_steps", 3]
    for objective in ("diffusion_dpo", "sft", "mapo", "diffusion_kto"):
        step, checkpoint = runs.stopped("align", "collapse", *words, "--objective", objective, "--health_saturation", 0)
        runs.goes_on("align", checkpoint, step, *words, "--objective", objective)
    words = [*common, "--objective", "ddspo", "--policy", "training_free", "--learning_rate", 1e-3, "--beta_dpo", 1e6,
             "--lr_warmup_steps", 400, "--max_train_steps", 500, "--checkpointing_steps", 2,
             "--checkpoints_total_limit", 0]
    step, checkpoint = runs.stopped("align", "saturation", *words)
    runs.goes_on("align", checkpoint, step, *words)
    code, error = runs("align", *words, "--health_saturation", 0, "--max_train_steps", step + 5, "--out", "saturated")
    report.expect(code == 0, f"the rule is off: exit {code} {error}")
    words = [*common, "--learning_rate", 1e-3, "--lr_warmup_steps", 400, "--max_train_steps", 500,
             "--validation_steps", 10, "--checkpointing_steps", 10, "--checkpoints_total_limit", 0,
             "--health_collapse", 0, "--health_saturation", 0]
    step, checkpoint = runs.stopped("align", "spread", *words)
    report.expect(step % 10 == 1, f"spread is judged on steps with samples: {step}")
    runs.goes_on("align", checkpoint, step, *words)
    code, error = runs("align", *words, "--health_spread", 0, "--max_train_steps", step + 5, "--out", "wide")
    report.expect(code == 0, f"the rule is off: exit {code} {error}")


def main():
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        runs = Runs(str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(name), report)
        check_train(runs)
        check_align(runs)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
