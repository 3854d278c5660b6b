"""Compares a folder of outputs with the expected ones beside them.

Reads DIR/expected.json, N.expected.safetensors and N.out.safetensors. A missing tensor, a missing file, another dtype or shape, and an
element outside its tolerance (case.py says how it is made) are failures. Names given by --skip are counted apart.
"""
import argparse
import collections
import json
import pathlib

import safetensors_file
from case import mismatch


def check(folder, entry, n, extra_outputs):
    """Returns a list of sentences, empty when the case passed."""
    path = folder / f"{n}.out.safetensors"
    if not path.exists():
        return ["no output file"]
    try:
        got = safetensors_file.load(path)
    except (ValueError, KeyError) as error:
        return [f"unreadable output: {error}"]
    want = safetensors_file.load(folder / f"{n}.expected.safetensors")
    problems = [f"{name}: missing" for name in want if name not in got]
    if not extra_outputs:
        problems += [f"{name}: not expected" for name in got if name not in want]
    for name in want:
        if name in got:
            problem = mismatch(got[name], want[name], entry["tolerance"][name])
            if problem:
                problems.append(f"{name}: {problem}")
    return problems


def describe(folder, entry, n, name, settings):
    given = safetensors_file.load(folder / f"{n}.in.safetensors")
    operands = ", ".join(f"{key} {str(t.dtype)[6:]}{list(t.shape)}" for key, t in given.items())
    return f"case {n} {entry[name]} {json.dumps(entry[settings])} ({operands})"


def run(description, number, name, settings, extra_outputs):
    """number, name, settings: the keys of an entry. Returns the exit status."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--skip", default="")
    parser.add_argument("--show", type=int, default=40)
    arguments = parser.parse_args()
    skip = set(filter(None, arguments.skip.split(",")))
    counts, failed_names = collections.Counter(), collections.Counter()
    for entry in json.loads((arguments.folder / "expected.json").read_text())["cases"]:
        if entry[name] in skip:
            counts["skipped"] += 1
            continue
        n = entry[number]
        problems = check(arguments.folder, entry, n, extra_outputs)
        counts["failed" if problems else "passed"] += 1
        if problems:
            failed_names[entry[name]] += 1
            if counts["failed"] <= arguments.show:
                print(describe(arguments.folder, entry, n, name, settings))
                print("".join(f"    {problem}\n" for problem in problems), end="")
    for failed, count in failed_names.most_common():
        print(f"{failed}: {count} failed")
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] or not counts["passed"] else 0
