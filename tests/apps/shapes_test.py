"""The world of shapes from outside: data sets, prompts, rewrites, scores, preferences and sheets as files.

Usage: shapes_test.py PLUMB
"""

import collections
import json
import pathlib
import subprocess
import sys
import tarfile
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from pictures import png  # noqa: E402
from tree import Report  # noqa: E402

IN_ORDER = ["single_object", "two_objects", "counting", "colors", "position", "color_attribution"]
CATEGORIES = set(IN_ORDER)
COLOURS = {"red": (0.92, 0.08, 0.10), "green": (0.08, 0.72, 0.14), "blue": (0.12, 0.26, 0.96), "yellow": (0.96, 0.90, 0.08), "purple": (0.66, 0.10, 0.86), "cyan": (0.08, 0.86, 0.92)}
# The world's shapes for radius 1, written down once more.
INSIDE = {
    "circle": lambda x, y: x * x + y * y < 1,
    "square": lambda x, y: max(abs(x), abs(y)) < 0.88,
    "triangle": lambda x, y: y < 0.9 and abs(x) < (y + 1) / 1.9,
    "cross": lambda x, y: min(abs(x), abs(y)) < 0.34 and max(abs(x), abs(y)) < 1,
}
EDGE = 5


class Shapes:
    def __init__(self, program, folder, report):
        self.program, self.folder, self.report = program, folder, report

    def run(self, *words, code=0):
        """Standard output, or the message for another exit code than 0."""
        done = subprocess.run([self.program, "shapes", *map(str, words)], capture_output=True, text=True, timeout=120)
        self.report.expect(done.returncode == code, f"shapes {' '.join(map(str, words))}: {done.returncode}, {done.stderr}")
        return done.stderr if code else done.stdout

    def lines(self, path):
        return [json.loads(line) for line in (self.folder / path).read_text().splitlines()]

    def expect(self, *arguments):
        self.report.expect(*arguments)


def draw(objects, size=32, ground=0.15):
    """A PNG by counting points; objects: (shape, colour, x, y, radius)."""
    rows = []
    for y in range(size):
        row = bytearray()
        for x in range(size):
            pixel = [ground] * 3
            for shape, colour, left, top, radius in objects:
                points = [((x + (i + 0.5) / EDGE - left) / radius, (y + (j + 0.5) / EDGE - top) / radius) for i in range(EDGE) for j in range(EDGE)]
                share = sum(INSIDE[shape](*point) for point in points) / EDGE**2
                pixel = [old + share * (new - old) for old, new in zip(pixel, COLOURS[colour])]
            row += bytes(round(255 * value) for value in pixel)
        rows.append(bytes(row))
    return png(size, size, rows)


def check_data(s):
    s.run("make", "--num_pictures", 60, "--out", s.folder / "noisy")
    s.run("make", "--num_pictures", 60, "--clean_captions", "--threads", 1, "--out", s.folder / "clean")
    s.run("make", "--num_pictures", 60, "--layout", "webdataset", "--shard_size", 25, "--out", s.folder / "shards")
    s.run("make", "--num_pictures", 60, "--split", "validation", "--out", s.folder / "other")
    noisy, clean, other = (s.lines(f"{name}/metadata.jsonl") for name in ("noisy", "clean", "other"))
    turns = dict(zip(IN_ORDER, json.loads((s.folder / "noisy/world.json").read_text(encoding="utf-8"))["turns"]))
    rounds = collections.Counter(row["category"] for row in noisy[:56])
    s.expect(rounds == {category: 7 * count for category, count in turns.items()}, "categories take turns")
    s.expect([row["clean"] for row in noisy] == [row["text"] for row in clean], "true captions are kept")
    changed = sum(row["text"] != row["clean"] for row in noisy)
    s.expect(10 <= changed <= 40, f"{changed} of 60 captions are noisy")
    s.expect(sum(a["clean"] == b["clean"] for a, b in zip(noisy, other)) < 20, "splits differ")
    pictures = [(s.folder / "noisy" / row["file_name"]).read_bytes() for row in noisy]
    s.expect(pictures == [(s.folder / "clean" / row["file_name"]).read_bytes() for row in clean], "same pictures on any number of threads")
    members = {}
    for shard in sorted((s.folder / "shards").glob("*.tar")):
        with tarfile.open(shard) as tar:
            members |= {member.name: tar.extractfile(member).read() for member in tar}
    s.expect(len(members) == 120, f"{len(members)} members")
    s.expect([members[f"{n:06}.png"] for n in range(60)] == pictures, "shards hold the same pictures")
    s.expect([json.loads(members[f"{n:06}.json"])["text"] for n in range(60)] == [row["text"] for row in noisy], "and captions")
    for name in ("noisy", "shards"):
        done = subprocess.run([s.program, "data", "check", s.folder / name, "--json"], capture_output=True, text=True, timeout=60)
        s.expect(done.returncode == 0 and json.loads(done.stdout)["broken"] == [], f"data check {name}: {done.stderr}")
    s.expect("holds pictures already" in s.run("make", "--out", s.folder / "noisy", code=2), "a second data set is refused")


def check_scores(s):
    table = json.loads(s.run("score", "--images", s.folder / "clean", "--world", s.folder / "clean", "--json"))
    s.expect(set(table["categories"]) == CATEGORIES, "a row a category")
    s.expect(table["all"]["correct"] == 1 and table["all"]["partial"] == 1 and table["all"]["unreadable"] == 0, f"true captions: {table['all']}")
    table = json.loads(s.run("score", "--images", s.folder / "noisy", "--json", "--threads", 1))
    scores = s.lines("noisy/scores.jsonl")
    s.expect(0.4 < table["all"]["correct"] < 0.95, f"noisy captions: {table['all']}")
    s.expect(abs(sum(line["correct"] for line in scores) / 60 - table["all"]["correct"]) < 1e-12, "the table is the lines' mean")
    keys = ["file", "prompt", "seed", "category", "correct", "partial", "found", "unreadable", "residual", "quality", "reading"]
    s.expect(all(list(line) == keys for line in scores), f"keys {list(scores[0])}")
    before = (s.folder / "noisy/scores.jsonl").read_bytes()
    s.run("score", "--images", s.folder / "noisy", "--threads", 3)
    s.expect((s.folder / "noisy/scores.jsonl").read_bytes() == before, "same scores on any number of threads")


def check_drawn(s):
    """Pictures of another renderer, and sizes and places it chose."""
    folder = s.folder / "drawn"
    folder.mkdir()
    rows, names = [], list(INSIDE)
    for n, colour in enumerate(COLOURS):
        for m, shape in enumerate(names):
            other = names[(m + 1 + n % 3) % 4]
            second = list(COLOURS)[(n + 1 + m) % 6]
            pair = [(shape, colour, 9 + 0.3 * m, 10 + n % 4, 5 + 0.2 * n), (other, second, 24 - 0.2 * n, 17 + m, 5.8)]
            pictures = {"one": (f"a {colour} {shape}", pair[:1]), "two": (f"a {colour} {shape} left of a {second} {other}", pair)}
            for kind, (prompt, objects) in pictures.items():
                name = f"{colour}-{shape}-{kind}.png"
                (folder / name).write_bytes(draw(objects, ground=0.1 + 0.02 * n))
                rows.append({"file_name": name, "prompt": prompt, "seed": len(rows)})
    rows.append({"file_name": rows[0]["file_name"], "prompt": "two blue rings", "seed": 7})
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    s.run("score", "--images", folder)
    *scores, wrong = s.lines("drawn/scores.jsonl")
    for line in scores:
        s.expect(line["correct"] and line["residual"] < 0.03, f"drawn: {line}")
    s.expect(not wrong["correct"] and wrong["partial"] == 0 and wrong["seed"] == 7, f"another prompt: {wrong}")
    for text, message in {'{"file_name": "a.png", "prompt": "a cat"}': "a caption of this world", '{"prompt": "a circle"}': "file_name"}.items():
        (folder / "metadata.jsonl").write_text(text + "\n")
        s.expect(message in s.run("score", "--images", folder, code=2), message)
    s.expect("must be 64x64" in s.run("score", "--images", s.folder / "clean", "--world", "full", code=2), "another world's pictures")


def check_prompts(s):
    prompts = s.folder / "prompts.jsonl"
    s.run("prompts", "--count", 48, "--held_out", "only", "--out", prompts)
    texts = [line["prompt"] for line in s.lines("prompts.jsonl")]
    s.expect(len(texts) == 48 and len(set(texts)) > 40, f"{len(set(texts))} prompts")
    for kind in ("swap", "quality"):
        out = s.folder / f"{kind}.jsonl"
        s.run("rewrites", "--prompts", prompts, "--kind", kind, "--out", out)
        lines = s.lines(out.name)
        s.expect([line["prompt"] for line in lines] == list(dict.fromkeys(texts)), f"{kind}: a line a prompt")
        s.expect(all(line["neg_prompts"] and line["prompt"] not in line["neg_prompts"] for line in lines), f"{kind}: others")
        s.expect((kind == "quality") == all("blur" in text for line in lines for text in line["neg_prompts"]), kind)
    (s.folder / "cat.txt").write_text("a cat\n")
    s.expect("grammar" in s.run("rewrites", "--prompts", s.folder / "cat.txt", "--out", s.folder / "none.jsonl", code=2), "a cat")
    s.expect(not (s.folder / "none.jsonl").exists(), "nothing is written for what cannot be rewritten")


def check_preferences(s):
    folder, rows = s.folder / "asked", []
    folder.mkdir()
    for n in range(24):  # for one prompt right and wrong pictures, some alike
        shape = ("circle", "square", "cross", "circle")[n % 4]
        (folder / f"{n}.png").write_bytes(draw([(shape, "red" if n % 3 else "cyan", 9 + n % 5, 12 + n % 7, 5.5)]))
        rows.append({"file_name": f"{n}.png", "text": "a red circle", "seed": n})
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = ("preferences", "--images", folder, "--images", folder)
    sure = ("--temperature", 0.001, "--out", s.folder / "sure")
    s.expect("0 labels against the score" in s.run(*words, *sure), "a cold judge is never wrong")
    pairs = s.lines("sure/metadata.jsonl")
    s.expect(all(row["pos_partial"] > row["neg_partial"] for row in pairs), "winners score higher")
    s.expect(len({row["id"] for row in pairs}) == len(pairs) > 20, f"{len(pairs)} pairs")
    s.run(*words, "--temperature", 1, "--out", s.folder / "unsure")
    against = sum(row["pos_partial"] < row["neg_partial"] for row in s.lines("unsure/metadata.jsonl"))
    s.expect(0.15 * len(pairs) < against < 0.6 * len(pairs), f"{against} of {len(pairs)} labels are wrong")
    done = subprocess.run([s.program, "data", "check", s.folder / "sure"], capture_output=True, text=True, timeout=60)
    s.expect(done.returncode == 0 and f"{len(pairs)} pairs" in done.stdout, f"data check: {done.stdout} {done.stderr}")
    s.expect("no pair is left" in s.run(*words, "--tie", 9, "--out", s.folder / "ties", code=2), "only ties")
    s.expect(not (s.folder / "ties").exists(), "nothing is written for no pairs")


def check_rest(s):
    s.run("sheet", "--images", s.folder / "noisy", "--count", 14, "--columns", 5, "--out", s.folder / "sheet.png")
    header = (s.folder / "sheet.png").read_bytes()[:24]
    size = [int.from_bytes(header[at : at + 4], "big") for at in (16, 20)]
    s.expect(size == [16 + 5 * 110, 16 + 3 * 170], f"a sheet of {size}")
    rows = json.loads(s.run("certify", "--count", 12, "--json"))
    s.expect(rows[0]["right"] == 12 and all(row["right"] + row["wrong"] + row["unreadable"] == 12 for row in rows), f"{rows}")
    s.expect("certify" in s.run("--help") and "did you mean score" in s.run("scor", code=2), "names of actions")
    s.expect("unknown member (colour)" in broken_world(s, '{"colour": 1}') and "picture_size" in broken_world(s, '{"picture_size": 48}'), "a broken world")
    s.expect(not (s.folder / "never").exists(), "nothing is written for a broken world")


def broken_world(s, text):
    (s.folder / "world.json").write_text(text)
    return s.run("make", "--world", s.folder / "world.json", "--out", s.folder / "never", code=2)


def main():
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        shapes = Shapes(sys.argv[1], pathlib.Path(folder), report)
        for check in (check_data, check_scores, check_drawn, check_prompts, check_preferences, check_rest):
            check(shapes)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
