"""What the tree checks share: the sources, text without comments, and a report that ends in one countable line."""

import pathlib
import re
import sys
import tempfile

FOLDERS = ["engine", "autograd", "nn", "diffusion", "align", "apps"]  # each may include itself and those to its left
CPP_SUFFIXES = {".h", ".cpp", ".cu", ".cuh"}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.MULTILINE)
# Longest first: comments, raw strings, strings, characters. A ' between digits separates thousands.
QUIET = re.compile(
    r"""//(?:\\\n|[^\n])*|/\*.*?\*/|R"([^(\s]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'""",
    re.DOTALL,
)


def sources(root, suffixes=CPP_SUFFIXES, folders=(*FOLDERS, "tests", "bench")):
    """Every source below the folders of `root`, sorted; paths are relative to it."""
    root = pathlib.Path(root)
    found = (path for folder in folders for path in (root / folder).rglob("*") if path.suffix in suffixes)
    return sorted(path.relative_to(root) for path in found if path.is_file())


def read(path):
    return pathlib.Path(path).read_text(encoding="utf-8")


def blank(text, strings=True):
    """`text` with comments (and the contents of strings) blanked; every line keeps its number."""

    def spaces(match):
        token = match[0]
        if not token.startswith("/") and not strings:
            return token
        return re.sub(r"[^\n]", " ", token) if token.startswith("/") else '""' + "\n" * token.count("\n")

    return QUIET.sub(spaces, text)


def includes(text):
    """(line, quoted, name) of every #include that is not inside a comment."""
    text = blank(text, strings=False)
    return [(text.count("\n", 0, match.start()) + 1, match[1] == '"', match[2]) for match in INCLUDE.finditer(text)]


class Report:
    """Collects checks; `finish()` prints the failures and the summary and returns the exit status."""

    def __init__(self):
        self.passed = 0
        self.skipped = 0
        self.failures = []

    def check(self, problems, what=""):
        """One check: passed when `problems` is empty."""
        if problems:
            self.failures.append((what, list(problems)))
        else:
            self.passed += 1

    def expect(self, condition, what):
        self.check([] if condition else [what])

    def finish(self):
        for what, problems in self.failures:
            for problem in problems:
                print(f"FAILED {what}{': ' if what else ''}{problem}")
        print(f"{self.passed} passed, {len(self.failures)} failed, {self.skipped} skipped")
        if self.failures:
            return 1
        return 77 if self.passed == 0 and self.skipped else 0


def finds(check, files):
    """Runs `check(root)` on a temporary tree made of {path: text}: how each check shows that it can fail."""
    with tempfile.TemporaryDirectory() as root:
        for name, text in files.items():
            path = pathlib.Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return check(pathlib.Path(root))


def source_root():
    """The tree to check: the first argument, or the one this file is in."""
    return pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2]).resolve()
