"""`plumb align` stopped in every way there is and resumed must end with the bits of a run nobody stopped.

Usage: align_resume_test.py PLUMB
"""

import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from stoppable import Stoppable, differences, lines_of, results, steps_of  # noqa: E402
from tree import Report  # noqa: E402

STEPS, EVERY, KILLS = 120, 15, 4
TRAIN = ("--max_train_steps 300 --classes 3 --samples_per_class 60 --hidden 16 --hidden_layers 2 --train_batch_size 64 "
         "--report_to none --quiet").split()
# 15 pairs in batches of 16: an epoch ends inside a batch, and a checkpoint inside an epoch.
SETTINGS = ("--model model --pairs_per_class 5 --train_batch_size 8 --gradient_accumulation_steps 2 --learning_rate 5e-5 "
            "--checkpoints_total_limit 2 --lr_warmup_steps 5 --seed 7 --report_to none --quiet").split()
RUNS = {
    # The reference moves at 20, 40, … and comes to rest; checkpoints lie before, between and after.
    "moving": ("--ref_update_steps 20 --ref_divergence_bound 0.05 --timestep_sampling aware --reward_scale minmax "
               "--divergence_steps 7 --health_collapse 0"),
    "ddspo": ("--objective ddspo --policy training_free --ref_update_steps 32 --ref_divergence_bound 0.01 "
              "--ref_policy reinit --ref_test candidate --independent_noise"),
    "lora": "--objective ddspo --policy data_driven --dd_max_train_steps 20 --use_lora --ref_update_steps 25",
    "kto": "--objective diffusion_kto --wanted_share 0.8 --set offset=balanced --statistics effective_batch",
    "dspo_ref": "--objective dspo_ref --perturb_init 0.05 --random_condition sigmoid",
    "self": "--objective self_dpo --validation_steps 30 --num_validation_samples 30",
}


def changes(report, aligning, folder):
    """What may change between the parts of a run, and what is refused with its name."""
    out = folder / "changes"
    code, error = aligning.run(out)
    report.expect(code == 0, f"a run: exit {code} {error}")
    before = results(out)
    resume = ("--resume_from_checkpoint", "latest")
    for name, value in (("learning_rate", 0.5), ("train_batch_size", 4), ("beta_dpo", 3), ("objective", "dspo"),
                        ("policy", "oracle"), ("timestep_sampling", "aware"), ("ref_update_steps", 5), ("seed", 1),
                        ("use_lora", "true"), ("set", "reduction=sum")):
        code, error = aligning.run(out, *resume, f"--{name}={value}")
        report.expect(code == 2 and f"--{name} " in error and error.count("\n") == 1, f"{name}: exit {code} {error}")
    code, error = aligning.run(out, *resume, "--pairs_per_class", 4)
    report.expect(code == 2 and "other training data" in error, f"other pairs: exit {code} {error}")
    code, error = aligning.run(out, *resume, "--model", folder / "other")
    report.expect(code == 2 and "other weights" in error, f"another model: exit {code} {error}")
    code, error = aligning.run(out)
    report.expect(code == 2 and "earlier run" in error, f"a fresh run into a used folder: exit {code} {error}")
    code, error = aligning.run(folder / "new", "--resume_from_checkpoint", folder / "trained/checkpoint-300")
    report.expect(code == 2 and "not made by plumb align" in error, f"a checkpoint of plumb train: exit {code} {error}")
    report.check(differences(results(out), before), "a refusal changes nothing")


def signals(report, aligning, folder, expected, flags):
    for number, wanted in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        out = folder / f"signal{number}"
        code, error = aligning.stop(out, 33, number, *flags)
        report.expect(code == wanted and not error, f"signal {number}: exit {code}, expected {wanted} {error}")
        report.expect(steps_of(out)[-1] == lines_of(out), "the step the signal came in is saved")
        code, error = aligning.run(out, *flags, "--resume_from_checkpoint", "latest")
        report.expect(code == 0, f"after signal {number}: exit {code} {error}")
        report.check(differences(results(out), expected), f"after signal {number}")


def main():
    plumb = str(pathlib.Path(sys.argv[1]).resolve())
    report, chance = Report(), random.Random(20240608)
    stopped = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for seed, out in ((0, "trained"), (1, "retrained")):
            subprocess.run([plumb, "train", *TRAIN, "--seed", str(seed), "--out", str(folder / out),
                            "--checkpointing_steps", "300"], check=True, timeout=60)
        shutil.copytree(folder / "trained/model", folder / "model")
        shutil.copytree(folder / "retrained/model", folder / "other")
        settings = [str(folder / word) if word == "model" else word for word in SETTINGS]
        aligning = Stoppable(report, plumb, "align", settings, STEPS, EVERY)
        for what, flags in RUNS.items():
            whole, flags = folder / what, flags.split()
            code, error = aligning.run(whole, *flags)
            report.expect(code == 0 and not error, f"unbroken run {what}: exit {code} {error}")
            expected = results(whole)
            for threads in (1, 3):
                code, error = aligning.run(folder / "threads", *flags, "--threads", threads)
                report.check(differences(results(folder / "threads"), expected), f"{what} with {threads} threads")
                shutil.rmtree(folder / "threads")
            stopped += aligning.kill_chain(folder / "killed", KILLS, expected, flags, chance)
            if what == "moving":
                moved = [line.get("reference_divergence") for line in expected["log.jsonl"]]
                report.expect(len(set(moved)) > 3, f"the reference was tested again and again: {set(moved)}")
                signals(report, aligning, folder, expected, flags)
        # The kills must have hit runs under way, or this test proves nothing.
        report.expect(stopped >= 8, f"only {stopped} of {len(RUNS) * KILLS} kills came before the end")
        changes(report, aligning, folder)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
