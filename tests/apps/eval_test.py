"""`plumb eval` as a user runs it: tables and metrics.json of score files, and what it refuses.

Usage: eval_test.py PLUMB
"""

import json
import pathlib
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
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
        run = Eval(sys.argv[1], folder, report)
        scores(report, run, folder)
        refusals(run, folder)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
