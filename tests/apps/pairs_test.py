"""`plumb pairs` of pictures from outside: stopped by signals and gone on with, whatever the threads; and broken pairs in front of
`plumb align`.

Usage: pairs_test.py PLUMB
"""

import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import pictures  # noqa: E402
from tree import Report  # noqa: E402

UNET = {
    "_class_name": "UNet2DConditionModel", "sample_size": 8, "in_channels": 3, "out_channels": 3, "layers_per_block": 1,
    "block_out_channels": [8, 16], "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"],
    "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"], "norm_num_groups": 4, "attention_head_dim": 4, "cross_attention_dim": 64,
}
PAIRS, WAIT = 24, 60


def make_model(plumb, folder):
    pictures.write(folder / "data", count=4, size=8)
    (folder / "unet.json").write_text(json.dumps(UNET), encoding="utf-8")
    subprocess.run([plumb, "train", "--train_data_dir", folder / "data", "--unet_config", folder / "unet.json", "--text_init", "tiny",
                    "--train_text_encoder", "--max_train_steps", "1", "--train_batch_size", "2", "--quiet", "--report_to", "none", "--out",
                    folder / "train"], check=True)
    return folder / "train/model"


def contents(out):
    """Every file a reader of the pairs could see."""
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.suffix in {".png", ".jsonl", ".json"}}


def drawn(out):
    return len(list(out.glob("*/*.png")))


def stopped(words, out, number):
    """Starts a run and sends it a signal once some pairs are there. Returns the exit code."""
    process = subprocess.Popen([*words, "--out", out], stderr=subprocess.PIPE)
    deadline = time.monotonic() + WAIT
    while process.poll() is None and time.monotonic() < deadline and drawn(out) < 6:
        time.sleep(0.0005)
    process.send_signal(number)
    process.communicate(timeout=WAIT)
    return process.returncode


def stopping(report, words, folder):
    whole = folder / "whole"
    subprocess.run([*words, "--out", whole], check=True)
    expected = contents(whole)
    report.expect(drawn(whole) == 2 * PAIRS, f"{drawn(whole)} pictures of {PAIRS} pairs")
    for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)):
        out = folder / f"signal{number}"
        got = stopped(words, out, number)
        report.expect(got == code, f"signal {number}: exit {got}")
        report.expect(not (out / "metadata.jsonl").exists() and drawn(out) < 2 * PAIRS, f"signal {number} came too late to show anything")
        broken = [name for name, data in contents(out).items() if expected.get(name) != data]
        report.check([f"{name} is not what a whole run writes" for name in broken], f"signal {number}")
        done = subprocess.run([*words, "--out", out, "--threads", "2"], capture_output=True, text=True, check=False)
        report.expect(done.returncode == 0, f"after signal {number}: {done.stderr}")
        report.expect(contents(out) == expected, f"after signal {number} the pairs differ")
        report.expect(not list(out.rglob(".*.tmp-*")), f"after signal {number}: leftovers")


def with_fault(good, folder, lines):
    """The pairs with other metadata, and files that faults are made of."""
    shutil.copytree(good, folder)
    (folder / "metadata.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "empty.png").touch()
    (folder / "cut.png").write_bytes((folder / "losers/000003.png").read_bytes()[:90])


def faults(report, plumb, model, good, folder):
    """Hostile preference data in front of `align`: refused with the row named and nothing written, or left out and counted."""
    sound = (good / "metadata.jsonl").read_text(encoding="utf-8").splitlines()[:5]
    words = [plumb, "align", "--model", model, "--max_train_steps", "2", "--report_to", "none", "--learning_rate", "1e-4", "--threads", "1"]

    def align(name, *more):
        return subprocess.run([*words, "--data", folder / name, "--out", folder / f"{name}.out", *more], capture_output=True, text=True, check=False)

    row = json.loads(sound[1])
    for name, fault, message in (
        ("no_winner", {"pos_file": None}, "must name a file under \"pos_file\""),
        ("winner_gone", {"pos_file": "gone.png"}, "no file"),
        ("twice", {"neg_file": row["pos_file"]}, "must be two files"),
        ("empty_file", {"neg_file": "empty.png"}, "must not be empty"),
        ("id_twice", {"id": json.loads(sound[0])["id"]}, "id must be given once"),
    ):
        with_fault(good, folder / name, [sound[0], json.dumps({**row, **fault}), *sound[2:]])
        done = align(name)
        report.expect(done.returncode == 2 and message in done.stderr and "metadata.jsonl:2: " in done.stderr and done.stderr.count("\n") == 1,
                      f"{name}: exit {done.returncode} {done.stderr}")
        report.expect(not (folder / f"{name}.out").exists(), f"{name} is refused before anything is written")
    done = align("twice", "--skip_broken")
    report.expect(done.returncode == 0 and "4 pairs, 1 rows skipped" in done.stderr, f"one of five left out: {done.stderr}")
    counts = json.loads((folder / "twice.out/metrics.json").read_text(encoding="utf-8"))
    report.expect((counts["pairs"], counts["rows_skipped"], counts["ties_left_out"]) == (4, 1, 0), f"counts: {counts}")
    with_fault(good, folder / "nothing", ["", ""])
    report.expect(align("nothing").returncode == 2, "an empty set is refused")
    with_fault(good, folder / "label", ['{"caption": "a", "jpg_0": "winners/000000.png", "jpg_1": "losers/000000.png", "label_0": 2}'])
    report.expect("label_0 must be 1, 0, or 0.5" in align("label").stderr, "a label that is none is refused")
    with_fault(good, folder / "unreadable", [json.dumps({**row, "neg_file": "cut.png"}), *sound[2:]])
    done = align("unreadable", "--max_train_steps", "8", "--quiet")
    report.expect(done.returncode == 2 and "cut.png" in done.stderr and done.stderr.count("\n") == 1, f"a broken picture in an epoch: {done.stderr}")
    done = align("unreadable", "--skip_broken")
    report.expect(done.returncode == 0 and "3 pairs, 1 rows skipped" in done.stderr, f"a broken picture left out: {done.stderr}")
    with_fault(good, folder / "one", sound[:1])
    done = align("one", "--train_batch_size", "4")
    report.expect(done.returncode == 0 and "1 pairs" in done.stderr, f"one pair, and a batch of four: {done.stderr}")


def main():
    plumb = str(pathlib.Path(sys.argv[1]).resolve())
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model = make_model(plumb, folder)
        prompts = folder / "prompts.txt"
        prompts.write_text("a red circle\na blue square and a dog\n", encoding="utf-8")
        words = [plumb, "pairs", "--model", model, "--prompts", prompts, "--num_pairs", str(PAIRS), "--num_inference_steps", "20", "--sampler",
                 "ddim", "--batch_size", "1", "--quiet", "--threads", "1"]
        stopping(report, words, folder)
        faults(report, plumb, model, folder / "whole", folder)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
