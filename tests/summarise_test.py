"""The adding up of test logs is itself checked: a wrong sum would hide a failure."""

import json
import sys

from support.summarise import total
from support.tree import Report


def entry(result, stdout="", *arguments):
    return json.dumps({"result": result, "stdout": stdout, "command": ["program", *arguments]})


def doctest(passed, failed, skipped):
    return f"noise\n[doctest] test cases: {passed + failed:4} | {passed:3} passed | {failed} failed | {skipped} skipped\n[doctest] Status\n"


CASES = [
    ("doctest counts", [entry("OK", doctest(7, 0, 0))], (7, 0, 0)),
    ("doctest failures", [entry("FAIL", doctest(7, 2, 1))], (7, 2, 1)),
    ("a line of a Python check", [entry("OK", "3 passed, 0 failed, 1 skipped\n")], (3, 0, 1)),
    ("a silent program", [entry("OK"), entry("FAIL"), entry("SKIP")], (1, 1, 1)),
    ("a crash without a word", [entry("FAIL", "[doctest] run with --help\n")], (0, 1, 0)),
    ("a crash after a clean summary", [entry("ERROR", doctest(7, 0, 0))], (7, 1, 0)),
    ("a time-out", [entry("TIMEOUT")], (0, 1, 0)),
    ("what a filter leaves out", [entry("OK", doctest(2, 0, 98), "-ts=threads")], (2, 0, 0)),
    ("several programs", [entry("OK", doctest(7, 0, 0)), "\n", entry("OK", doctest(5, 0, 2))], (12, 0, 2)),
]


def main():
    report = Report()
    for what, lines, expected in CASES:
        report.expect(total(lines) == expected, f"{what}: {total(lines)} is not {expected}")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
