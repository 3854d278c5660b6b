"""Runs the verbs of preference fine-tuning as a user does: results, and what bad input gets.

Usage: align_verbs_test.py PLUMB
"""

import json
import pathlib
import sys
import tempfile

from verbs_test import TRAIN, Program, read_tensors, tree

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from tree import Report  # noqa: E402


def check_pairs(program):
    folder, report = program.folder, program.report
    text = program.good("pairs", "--model", "run/model", "--pairs_per_class", 4, "--num_inference_steps", 5, "--out", "p")
    report.expect(text == "12 pairs: p/pairs.safetensors\n", text)
    values, metadata = read_tensors(folder / "p/pairs.safetensors")
    report.expect(set(values) == {"winners", "losers", "condition", "negative"}, str(set(values)))
    report.expect(values["condition"] == (0,) * 4 + (1,) * 4 + (2,) * 4, "classes in a row")
    report.expect(values["negative"] == (1, 2, 1, 2, 2, 0, 2, 0, 0, 1, 0, 1), "neighbours in turn")
    report.expect(json.loads(metadata["plumb"])["pairs_per_class"] == 4, "settings in the file")
    # Winner and loser begin in one noise: they are closer to each other than to the next pair's.
    program.good("pairs", "--config", "p/config.toml", "--threads", 1, "--quiet", "--out", "p2")
    same = (folder / "p/pairs.safetensors").read_bytes(), (folder / "p2/pairs.safetensors").read_bytes()
    report.expect(read_tensors(folder / "p2/pairs.safetensors")[0] == values and len(same[0]) == len(same[1]),
                  "config.toml repeats the pairs")
    program.good("pairs", "--classes", 4, "--sigma", 0.001, "--quiet", "--out", "world")
    world = read_tensors(folder / "world/pairs.safetensors")[0]
    report.expect(abs(world["winners"][0] - 2) < 0.01 and abs(world["losers"][1] - 2) < 0.01, "clean modes")
    for words, says in (
        (("--model", "nowhere"), "nowhere"),
        (("--pairs_per_class", 0), "--pairs_per_class"), (("--negative", "far"), "neighbor"),
        (("--model", "run/model", "--num_inference_steps", 101), "[1, 100]"), (("--classes", 1), "--classes"),
    ):
        program.refused("pairs", "--out", "bad", *words, says=says)


def check_align(program):
    folder, report = program.folder, program.report
    common = ("align", "--model", "run/model", "--max_train_steps", 4, "--train_batch_size", 4, "--report_to", "none",
              "--quiet")
    program.good(*common, "--data", "p/pairs.safetensors", "--objective", "ddspo", "--policy", "training_free",
                 "--beta_dpo", 3, "--set", "loss_weight=linear", "--log_bins_steps", 2, "--out", "al")
    lines = [json.loads(line) for line in (folder / "al/log.jsonl").read_text(encoding="utf-8").splitlines()]
    keys = ("step loss lr grad_norm error_w error_l ref_error_w ref_error_l margin implicit_accuracy logit_abs_median "
            "saturated samples_per_s step_s").split()
    report.expect([line["step"] for line in lines] == [1, 2, 3, 4] and set(keys) <= set(lines[0]), f"keys: {lines[0]}")
    bins = [[key for key in line if key.startswith(("reward_scale_bin", "accuracy_bin"))] for line in lines]
    report.expect(not bins[0] and not bins[2] and bins[1] and bins[3], f"bins on every second step: {bins}")
    report.expect(abs(lines[0]["margin"]) < 1e-6 and lines[0]["ref_error_w"] == 0, "TF-CPP begins at the reference")
    metrics = json.loads((folder / "al/metrics.json").read_text(encoding="utf-8"))
    report.expect(metrics["objective_settings"] == {"loss_weight": "linear", "beta": "3"}, str(metrics))
    report.expect(metrics["pairs"] == 12 and metrics["effective_batch"] == 4, str(metrics))
    program.good("sample", "--model", "al/model", "--num_samples", 5, "--num_inference_steps", 3, "--quiet", "--out", "als")
    program.good("align", "--config", "al/config.toml", "--quiet", "--out", "al2")
    report.expect((folder / "al/model/unet/diffusion_pytorch_model.safetensors").read_bytes()
                  == (folder / "al2/model/unet/diffusion_pytorch_model.safetensors").read_bytes(),
                  "config.toml repeats the run")
    # DSPO-ref leaves the reference only when its first weights are perturbed.
    weights = "model/unet/diffusion_pytorch_model.safetensors"
    stay = (*common, "--objective", "dspo_ref", "--adam_weight_decay", 0)
    program.good(*stay, "--out", "stays")
    program.good(*stay, "--perturb_init", 0.01, "--out", "leaves")
    first, second = ([json.loads(line)["loss"] for line in (folder / out / "log.jsonl").read_text().splitlines()]
                     for out in ("stays", "leaves"))
    report.expect(max(first) < 1e-9 < min(second), f"DSPO-ref: {first} and {second}")
    for kind in ("constant", "exponential", "sigmoid"):
        program.good(*common, "--objective", "ddspo", "--policy", "training_free", "--random_condition", kind, "--out", kind)
    different = {(folder / kind / weights).read_bytes() for kind in ("constant", "exponential", "sigmoid")}
    report.expect(len(different) == 3, "random conditions differ")
    # LoRA: base and adapter apart; merging them is what --merge_lora writes.
    lora = (*common, "--use_lora", "--learning_rate", 0.01)
    program.good(*lora, "--out", "lora")
    program.good(*lora, "--merge_lora", "--out", "merged")
    program.good("merge", "--model", "lora/model", "--adapter", "lora/adapter", "--quiet", "--out", "merge")
    report.expect((folder / "lora" / weights).read_bytes() == (folder / "run" / weights).read_bytes(), "base as it was")
    report.expect((folder / "merged" / weights).read_bytes() == (folder / "merge" / weights).read_bytes(), "merged")
    report.expect((folder / "merged" / weights).read_bytes() != (folder / "run" / weights).read_bytes(), "it learned")
    # Sampling the base with its adapter is sampling the merged model, to rounding.
    draw = ("sample", "--num_samples", 30, "--num_inference_steps", 4, "--quiet")
    program.good(*draw, "--model", "merged/model", "--out", "s1")
    program.good(*draw, "--model", "lora/model", "--adapter", "lora/adapter", "--out", "s2")
    program.good(*draw, "--model", "lora/model", "--out", "s3")
    merged, adapted, base = (read_tensors(folder / f"{out}/samples.safetensors")[0]["samples"] for out in ("s1", "s2", "s3"))
    gap, move = (max(abs(x - y) for x, y in zip(merged, other)) for other in (adapted, base))
    report.expect(gap < 1e-4 < move, f"adapter and merged differ by {gap}, base and merged by {move}")
    program.refused("sample", "--model", "lora/model", "--adapter", "nowhere", "--out", "bad", says="nowhere")
    (folder / "few").write_bytes((folder / "one/samples.safetensors").read_bytes())
    for words, says in (
        (("--model", "nowhere"), "nowhere"), (("--data", "few"), "unknown tensor"), (("--objective", "ddpso"), "ddspo"),
        (("--policy", "free"), "training_free"), (("--beta_dpo", -1), "--beta_dpo"),
        (("--objective", "mapo", "--beta_dpo", 1), "no beta"), (("--set", "bta=1"), "bta"),
        (("--set", "beta=1", "--beta_dpo", 1), "one of them"), (("--train_batch_size", 0), "--train_batch_size"),
        (("--timestep_gamma", 0), "--timestep_gamma"), (("--lr_warmup_steps", 4, "--lr_scheduler", "cosine"), "warm-up"),
        (("--ref_test", "later"), "candidate"), (("--lerning_rate", 1), "learning_rate"),
        (("--train_batch_size", 100000, "--gradient_accumulation_steps", 100000), "pairs"),
    ):
        program.refused(*common, "--out", "bad", *words, says=says)
    program.refused("align", "--out", "bad", says="--model")


def check_plan(program):
    report = program.report
    before = tree(program.folder)
    plan = json.loads(program.good("plan", "--objective", "ddspo", "--policy", "training_free", "--model", "run/model",
                                   "--gradient_accumulation_steps", 2, "--dataset_size", 100, "--json"))
    report.expect(plan["batch"]["effective"] == 2 and plan["steps"]["epochs"] == 4, str(plan))
    report.expect(plan["forwards"] == {"student": 2.0, "frozen": 3.0, "frozen_after_reference_update": 4.0}, str(plan))
    report.expect(plan["memory"]["total"] == 20 * plan["memory"]["parameters"], str(plan["memory"]))
    text = program.good("plan")
    report.expect("937.5" in text and "2.048e-05" in text and "8.192e-09" in text, text)
    report.expect(tree(program.folder) == before, "plan writes nothing")
    for words, says in (
        (("--objective", "x"), "diffusion_dpo"), (("--model", "nowhere"), "nowhere"), (("--model", "run"), "run"),
        (("--shape", "0,2"), "--shape"), (("--objective", "sft", "--beta_dpo", 1), "no beta"),
        (("--set", "gama=1"), "gama"), (("--devices", 0), "--devices"),
    ):
        program.refused("plan", *words, says=says)


def check_plan_keeps_its_word(program):
    """The peak that plan predicts is the one that align reports."""
    for batch in (8, 256):
        for more in ((), ("--use_lora",)):
            words = ("--objective", "ddspo", "--policy", "training_free", "--model", "run/model", "--train_batch_size", batch,
                     "--gradient_accumulation_steps", 1, *more)
            planned = json.loads(program.good("plan", *words, "--json"))["measured"]["peak_bytes"]
            program.good("align", *words, "--max_train_steps", 3, "--report_to", "none", "--quiet", "--out", f"peak{batch}{len(more)}")
            metrics = json.loads((program.folder / f"peak{batch}{len(more)}/metrics.json").read_text(encoding="utf-8"))
            peak = metrics["memory"]["peak_bytes"]
            program.report.expect(abs(planned - peak) < 0.1 * peak + 65536, f"{words}: planned {planned}, was {peak}")
            program.report.expect(metrics["memory"]["peak_process_bytes"] > peak, "the process holds more than its tensors")


def check_explain(program):
    report = program.report
    before = tree(program.folder)
    common = ("explain", "--model", "run/model", "--objective", "ddspo")
    for policy in ("forward", "training_free", "oracle", "data_driven"):
        text = program.good(*common, "--policy", policy, "--t", 20, "--student_steps", 2)
        report.expect("t = 20 of 100" in text and "|gradient|" in text and not text.count(" \n"), text)
    made = json.loads(program.good(*common, "--policy", "training_free", "--pair", 3, "--json"))
    report.expect(made["pair"] == 3 and made["target"]["winner"] == made["reference"]["winner"], "TF-CPP's target")
    report.expect(made["margin"] != 0, "the student has moved")
    same = json.loads(program.good(*common, "--student_steps", 0, "--json"))
    report.expect(abs(same["margin"]) < 1e-6 and abs(same["loss"] - 0.6931472) < 1e-6, "student = reference: log 2")
    aligned = json.loads(program.good(*common, "--student", "al/model", "--data", "p/pairs.safetensors", "--json"))
    report.expect(aligned["pairs"] == 12 and aligned["margin"] != 0, "a student of one's own")
    text = program.good(*common, "--policy", "training_free", "--beta_dpo", 1e8, "--student_steps", 20)
    report.expect("warning: saturated" in text, text)
    # Without a model a small one is trained.
    text = program.good("explain", "--reference_steps", 20, "--t", 0)
    report.expect("diffusion_dpo" in text and "t = 0 of 100" in text, text)
    report.expect(tree(program.folder) == before, "explain writes nothing")
    for words, says in (
        (("--t", 100), "[0, 100)"), (("--pair", 6), "[0, 6)"), (("--student", "nowhere"), "nowhere"),
        (("--set", "bta=1"), "bta"), (("--t", -1), "--t"), (("--policy", "orakle"), "oracle"),
    ):
        program.refused(*common, *words, says=says)
    program.refused("explain", "--student", "al/model", says="--model")


def main():
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        program = Program(str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(name), report)
        program.good("train", *TRAIN, "--out", "run")
        program.good("sample", "--model", "run/model", "--num_samples", 9, "--num_inference_steps", 3, "--quiet", "--out",
                     "one")
        check_pairs(program)
        check_align(program)
        check_plan(program)
        check_plan_keeps_its_word(program)
        check_explain(program)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
