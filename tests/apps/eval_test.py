"""`plumb eval` as a user runs it: tables and metrics.json of score files and of pictures, and what it refuses.

Usage: eval_test.py PLUMB
"""

import array
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
import pictures  # noqa: E402
from tree import Report  # noqa: E402

CATEGORIES = ["colours", "counting"]


def write_scores(path, number, prompts=20, pictures=3):
    draw = random.Random(number)
    lines = []
    for p in range(prompts):
        for seed in range(pictures):
            readable = draw.random() < 0.9
            lines.append({"file": f"{p}-{seed}.png", "prompt": f"prompt {p}", "seed": seed, "category": CATEGORIES[p % 2],
                          "correct": readable and draw.random() < 0.4 + 0.1 * number, "quality": draw.random() if readable else None,
                          "reading": {"objects": []}})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return lines


class Eval:
    def __init__(self, plumb, folder, report):
        self.plumb, self.folder, self.report = plumb, folder, report

    def __call__(self, *words):
        return subprocess.run([self.plumb, "eval", *map(str, words)], capture_output=True, text=True, cwd=self.folder, timeout=60, check=False)

    def good(self, out, *words):
        """metrics.json and what was printed."""
        done = self(*words, "--out", out, "--bootstrap", 500)
        self.report.expect(done.returncode == 0, f"{words}: exit {done.returncode} {done.stderr}")
        return json.loads((self.folder / out / "metrics.json").read_text(encoding="utf-8")), done.stdout

    def refused(self, says, *words):
        done = self(*words, "--out", "refused")
        what = f"{words}: exit {done.returncode}, {done.stderr!r}"
        self.report.expect(done.returncode == 2 and done.stderr.count("\n") == 1 and says in done.stderr, what)
        self.report.expect(not (self.folder / "refused").exists(), f"left something: {what}")


def mean(lines, key):
    values = [line[key] for line in lines if line[key] is not None]
    return sum(values) / len(values)


def scores(report, run, folder):
    files = [folder / f"{number}.jsonl" for number in range(3)]
    lines = [write_scores(path, number) for number, path in enumerate(files)]
    found, text = run.good("one", "--scores", files[1], "--against", files[0])
    field = found["scores"]["fields"]["correct"]
    report.expect(abs(field["all"]["mean"] - mean(lines[1], "correct")) < 1e-12, f"mean {field}")
    report.expect(field["all"]["low"] < field["all"]["mean"] < field["all"]["high"], f"interval {field}")
    ours = [line for line in lines[1] if line["category"] == "counting"]
    report.expect(abs(field["categories"]["counting"]["mean"] - mean(ours, "correct")) < 1e-12, f"category {field}")
    report.expect(found["scores"]["fields"]["quality"]["scored"] == sum(line["quality"] is not None for line in lines[1]), "scored")
    signs = [(a["correct"] > b["correct"]) - (a["correct"] < b["correct"]) for a, b in zip(lines[1], lines[0])]
    counts = found["comparison"]["fields"]["correct"]["counts"]
    expected = [signs.count(1), signs.count(0), signs.count(-1)]
    report.expect([counts[name] for name in ("wins", "ties", "losses")] == expected, f"{counts} should be {expected}")
    rate = found["comparison"]["fields"]["correct"]["win_rate"]["all"]["mean"]
    report.expect(abs(rate - (expected[0] + expected[1] / 2) / len(signs)) < 1e-12, f"win rate {rate}")
    report.expect("quality" in text and "wins/ties/losses" in text and "counting" in text, text)
    again, _ = run.good("again", "--scores", files[1], "--against", files[0], "--threads", 1)
    report.expect(again == found, "one thread gives other numbers")
    repeated, _ = run.good("repeated", "--config", folder / "one" / "config.toml")
    report.expect(repeated == found, "config.toml does not repeat the run")
    runs, _ = run.good("runs", "--scores", files[1], "--scores", files[2], "--against", files[0], "--fields", "correct")
    column = runs["scores"]["fields"]["correct"]
    report.expect(len(column["runs"]) == 2 and column["runs_std"] > 0 and "over_runs" in column, f"runs {column}")
    report.expect(list(runs["scores"]["fields"]) == ["correct"], "fields")


def write_network(folder):
    """A classifier of 8x8 pictures with random weights."""
    draw = random.Random(5)
    shapes = {"blocks.0.conv.bias": [8], "blocks.0.conv.weight": [8, 3, 3, 3], "blocks.0.norm.bias": [8], "blocks.0.norm.weight": [8],
              "head.bias": [3], "head.weight": [3, 5], "project.bias": [5], "project.weight": [5, 128]}
    header, data = {}, b""
    for name, shape in shapes.items():
        count = 1
        for size in shape:
            count *= size
        numbers = array.array("f", [draw.uniform(-1, 1) for _ in range(count)]).tobytes()
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(numbers)]}
        data += numbers
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    config = {"_class_name": "PictureClassifier", "image_size": 8, "block_out_channels": [8], "feature_dim": 5,
              "heads": [{"name": "shape", "classes": ["circle", "square", "star"]}]}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def images(report, run, folder):
    network, ours, real = folder / "network", folder / "ours", folder / "real"
    write_network(network)
    pictures.write(ours, count=24, size=8)
    pictures.write(real, count=30, size=12)
    judged = ["--images", ours, "--features", network]
    found, text = run.good("pictures", *judged, "--real", real, "--kid_subset_size", 10, "--kid_subsets", 7)
    entry = found["images"]
    report.expect(entry["num_samples"] == 24 and entry["features"]["dimensions"] == 5, f"features {entry}")
    report.expect(entry["frechet"] > 0 and entry["kernel"]["subsets"] == 7 and entry["kernel"]["std"] > 0, f"distances {entry}")
    report.expect(1 <= entry["inception_score"]["shape"]["mean"] <= 3 and 1 <= entry["diversity"]["vendi"] <= 5, f"scores {entry}")
    report.expect("inception_score" in entry["real"] and "Fréchet" in text and "PictureClassifier" in text, text)
    same, _ = run.good("same", *judged, "--real", ours)
    report.expect(abs(same["images"]["frechet"]) < 1e-9, f"a folder's distance from itself {same}")
    again, _ = run.good("again2", *judged, "--real", real, "--kid_subset_size", 10, "--kid_subsets", 7, "--threads", 1)
    report.expect(again["images"] == entry, "one thread gives other numbers")
    usual, _ = run.good("usual", *judged, "--real", real)
    report.expect(usual["images"]["kernel"]["subset_size"] == 12 and usual["images"]["kernel"]["std"] > 0, f"half of the pictures {usual}")
    alone, _ = run.good("alone", *judged, "--num_samples", 12)
    report.expect("frechet" not in alone["images"] and alone["images"]["num_samples"] == 12, f"alone {alone}")
    run.refused("--num_samples 25 are more than there are (24 in", *judged, "--num_samples", 25, "--real", real)
    run.refused("--images and --features go together", "--images", ours)
    run.refused("two pictures and one a split", *judged, "--num_samples", 5)
    run.refused("must be a PictureClassifier's or a CLIP model's", "--images", ours, "--features", broken_network(folder))


def broken_network(folder):
    path = folder / "broken"
    path.mkdir()
    (path / "config.json").write_text('{"_class_name": "Other"}', encoding="utf-8")
    return path


def refusals(run, folder):
    good, short = folder / "good.jsonl", folder / "short.jsonl"
    write_scores(good, 1)
    write_scores(short, 2, prompts=19)
    run.refused("eval: --scores must name a file")
    run.refused("nothing.jsonl", "--scores", folder / "nothing.jsonl")
    run.refused('no line has a number "beauty"; it has correct, quality', "--scores", good, "--fields", "beauty")
    run.refused("3 pictures have no partner", "--scores", good, "--against", short)
    run.refused("--confidence", "--scores", good, "--confidence", "1")
    run.refused("--against needs --scores", "--against", good, "--images", folder, "--features", folder)
    run.refused("one for each of ours (2 and 3)", *["--scores", good] * 3, *["--against", good] * 2)


def main():
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        run = Eval(str(pathlib.Path(sys.argv[1]).resolve()), folder, report)
        scores(report, run, folder)
        images(report, run, folder)
        refusals(run, folder)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
