"""Adds up test logs: `summarise.py testlog.json ...` prints `N passed, N failed, N skipped` and exits 1 on a failure.

A log is what `meson test` writes: one JSON object a test program. Test cases are counted where the program says how many
it ran (doctest's closing line, or the line above at the end of a Python check); a program that says nothing counts as one.
Meson's verdict on the program overrules its own words: a crash after the last test case is still a failure.
"""

import json
import re
import sys

DOCTEST = re.compile(r"\[doctest\] test cases:\s*(\d+)\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed\s*\|\s*(\d+) skipped")
PLAIN = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", re.MULTILINE)
GOOD = {"OK", "EXPECTEDFAIL"}


def counts(test):
    """(passed, failed, skipped) of one entry of a log."""
    output = test.get("stdout") or ""
    passed, failed, skipped, said = 0, 0, 0, False
    # A filtered run reports what the filter left out as skipped: those cases belong to another run.
    filtered = any(argument.startswith(("-ts", "-tc", "-tse", "-tce", "-sf", "--test-", "--source-")) for argument in test["command"])
    for match in DOCTEST.finditer(output):
        said = True
        passed += int(match[2])
        failed += int(match[3])
        skipped += 0 if filtered else int(match[4])
    for match in PLAIN.finditer(output):
        said = True
        passed, failed, skipped = (a + int(b) for a, b in zip((passed, failed, skipped), match.groups()))
    if test["result"] == "SKIP":
        skipped = max(skipped, 1)
    elif test["result"] not in GOOD:
        failed = max(failed, 1)
    elif not said:
        passed = 1
    return passed, failed, skipped


def total(lines):
    sums = (0, 0, 0)
    for line in lines:
        if line.strip():
            sums = tuple(a + b for a, b in zip(sums, counts(json.loads(line))))
    return sums


def main():
    lines = []
    for path in sys.argv[1:]:
        try:
            with open(path, encoding="utf-8") as log:
                lines += log.readlines()
        except OSError as error:
            print(f"no test ran: {error}")
            print("0 passed, 1 failed, 0 skipped")
            return 1
    passed, failed, skipped = total(lines)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or passed + skipped == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
